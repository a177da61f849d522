import { isJsonObject, type JsonObject, type Plan, type PlanStep, SignalboxError } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { cellKey, sequencerError } from '@signalbox/sequencer';
import { coordinatorError } from './codes.ts';
import { type Hosts, keysOf } from './hosts.ts';
import type { HostQueries } from './queries.ts';

/**
 * Refuses a plan whose hosts are not there, or are not the machines that it was made for [D2].
 * @throws SB-COORD-HOST naming every such host at once.
 */
export function refuseAbsentHosts(plan: Plan, hosts: Hosts): void {
  const problems = plan.hosts.flatMap((pinned) => {
    const known = hosts.get(pinned.name);
    const health = known?.health;
    if (!known) return [`${pinned.name} is not enrolled`];
    if (hosts.stateOf(pinned.name) !== 'online' || !health) return [`${pinned.name} is ${hosts.stateOf(pinned.name)}`];
    if (!keysOf(known).includes(pinned.key)) return [`${pinned.name} has another key than in the plan`];
    if (health.journal !== pinned.journal)
      return [`${pinned.name} has another journal than in the plan: its agent was installed anew`];
    if (health.machine !== pinned.machine) return [`${pinned.name} is another machine than in the plan`];
    if (health.refusing) return [`${pinned.name} accepts no commands: ${health.refusing.message}`];
    return [];
  });
  if (problems.length > 0) throw coordinatorError('SB-COORD-HOST', problems.join('; '));
}

/**
 * The text of the runbook goes with a plan for whoever asks later what it was made from: it is the one that the plan names.
 * @throws SB-COORD-PLAN
 */
export function refuseOtherRunbook({ runbook, sources }: Plan): void {
  const text = sources?.[0]?.text;
  if (text === undefined || sha256(text) === runbook.sha256) return;
  throw coordinatorError(
    'SB-COORD-PLAN',
    `the text of ${runbook.name} in this plan is not the one that it was made from`,
  );
}

/**
 * A run whose window is over would begin nothing. Before the window it may be started, and waits.
 * @throws SB-WINDOW-CLOSED
 */
export function refuseClosedWindow({ window, runbook }: Plan, nowMs: number): void {
  if (window?.notAfterMs === undefined || nowMs < window.notAfterMs) return;
  const end = new Date(window.notAfterMs).toISOString();
  throw sequencerError('SB-WINDOW-CLOSED', `the window of ${runbook.name} ended at ${end}`, {
    next: 'Make a new plan with a window that is still to come.',
  });
}

/**
 * Looks again at what the plan saw of every action's host and says what is different now: `node-stopped on node-1:
 * activeState active -> inactive`. A host that cannot be asked has drifted as well.
 */
export async function findDrift(plan: Plan, queries: HostQueries): Promise<string[]> {
  const targets = actionTargets(plan.steps);
  const looks = plan.observed.map(async (seen): Promise<string[]> => {
    const target = targets.get(cellKey(seen.step, seen.host));
    if (!target) return [];
    const where = `${seen.step} on ${seen.host}`;
    try {
      const { before } = await queries.check(seen.host, target.action, target.with);
      return differences(seen.seen, before).map((difference) => `${where}: ${difference}`);
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      return [`${where}: ${error.message}`];
    }
  });
  return (await Promise.all(looks)).flat();
}

function actionTargets(steps: readonly PlanStep[]): Map<string, { action: string; with: JsonObject }> {
  const found = new Map<string, { action: string; with: JsonObject }>();
  const visit = (step: PlanStep): void => {
    if (step.kind === 'group') step.children.forEach(visit);
    if (step.kind !== 'action') return;
    for (const target of step.targets)
      found.set(cellKey(step.id, target.host), { action: step.action, with: target.with });
  };
  steps.forEach(visit);
  return found;
}

function differences(then: JsonObject, now: JsonObject, path = ''): string[] {
  return [...new Set([...Object.keys(then), ...Object.keys(now)])].flatMap((key) => {
    // What an execution names for itself (its backup's folder) is no fact of the host.
    if (path === '' && key === 'own') return [];
    const [a, b] = [then[key], now[key]];
    if (isJsonObject(a) && isJsonObject(b)) return differences(a, b, `${path}${key}.`);
    const [was, is] = [JSON.stringify(a ?? null), JSON.stringify(b ?? null)];
    return was === is ? [] : [`${path}${key} ${was} -> ${is}`];
  });
}
