import type { DowntimeClock, Plan, PlanStep } from '@signalbox/protocol';
import { checkWindow } from './check/window.ts';
import { checkRunbook } from './check.ts';
import { collector, type Diagnostic, hasErrors, inOrder } from './diagnostic.ts';
import { lookupIn } from './lookup.ts';
import type { Runbook, Step } from './model.ts';
import { get } from './node.ts';
import type { BindContext } from './plan/bind.ts';
import { type Around, type Draft, type DraftLeaf, instancesByStep, leavesOfDraft } from './plan/draft.ts';
import { expandAll } from './plan/expand.ts';
import { durationMs, opt, windowOf } from './plan/fields.ts';
import type { HostForPlan, PlanInput } from './plan/input.ts';
import { resolveLeaf } from './plan/leaf.ts';
import type { LeafContext } from './plan/one.ts';
import { resolveParams } from './plan/params.ts';
import { bindRoles } from './plan/roles.ts';
import { allLeaves } from './step-queries.ts';

/**
 * Resolves a runbook against parameters and enrolled hosts. No plan comes out while anything is wrong: in the text, in
 * the interlocking, in a parameter, or with a host; all of it is in `diagnostics`.
 */
export function makePlan(runbook: Runbook, input: PlanInput): { plan?: Plan; diagnostics: Diagnostic[] } {
  const { report, diagnostics } = collector();
  const found = [...runbook.diagnostics, ...checkRunbook(runbook, input.catalogue)];
  const params = resolveParams(runbook.scope.params, input.params, report);
  const roles = bindRoles(runbook, input, report);
  const all = () => inOrder([...found, ...diagnostics]);
  // Steps of a runbook with errors cannot be unrolled; what is wrong with parameters and hosts is said all the same.
  if (hasErrors(found) || hasErrors(diagnostics)) return { diagnostics: all() };

  const around: Around = { params: new Map([[runbook.scope, params]]), suffix: '' };
  const drafts = expandAll(runbook.steps, around, { roles, report });
  const numbers = new Map(allLeaves(runbook).map((step, index) => [step, index + 1]));
  const leafContext: LeafContext = {
    instances: { runbook, byStep: instancesByStep(drafts) },
    lookup: lookupIn(input.catalogue),
    hosts: new Map(input.hosts.map((h) => [h.name, h])),
    resources: runbook.exclusive,
    numberOf: ({ step }) => numbers.get(step) ?? 0,
    report,
  };
  const steps = drafts.flatMap((draft) => resolve(draft, leafContext));
  const downtime = runbook.downtime.map((clock) => clockOf(clock, { scope: runbook.scope, around, report }));
  const window = windowOf(get(runbook.spec, 'window'), { scope: runbook.scope, around, report });
  checkWindow(runbook, { ...window, steps: drafts.flatMap(timesOf) }, report);
  const findings = all();
  if (hasErrors(findings)) return { diagnostics: findings };
  const bound = [...roles.values()];
  const plan: Plan = {
    signalboxPlan: 1,
    mesh: input.mesh,
    runbook: { name: runbook.name, summary: runbook.summary, sha256: input.sha256 },
    madeAtMs: input.nowMs,
    madeBy: input.madeBy,
    params: Object.fromEntries(params),
    hosts: hostsOf(drafts, leafContext),
    roles: Object.fromEntries(bound.map(({ role, hosts }) => [role.name, hosts.map((h) => h.name)])),
    onFailure: input.onFailure ?? runbook.onFailure,
    ...(runbook.whenBusy === 'wait' ? { whenBusy: runbook.whenBusy } : {}),
    ...opt('window', window),
    downtime,
    steps,
    observed: [],
    findings: { errors: 0, warnings: findings.length },
  };
  return { plan, diagnostics: findings };
}

function resolve(draft: Draft, context: LeafContext): PlanStep[] {
  if (draft.kind === 'leaf') return resolveLeaf(draft, context);
  const { id, step, mode, limit, maxFailures, timing, forEach, checklist, around } = draft;
  const group: PlanStep = {
    kind: 'group',
    id,
    number: firstNumber(draft, context),
    line: step.at.line,
    mode,
    ...opt('limit', limit),
    ...opt('maxFailures', maxFailures),
    ...opt('timing', timing),
    ...opt('forEach', forEach),
    ...opt('checklist', checklist),
    ...opt('skip', around.skip),
    children: draft.children.flatMap((child) => resolve(child, context)),
  };
  return [group];
}

/** A group has the number of the first step in it; an empty one that of the step that would have come. */
function firstNumber(draft: Draft, { numberOf }: LeafContext): number {
  const [first] = leavesOfDraft(draft);
  return first ? numberOf(first) : numberOf({ ...draft, kind: 'leaf', hosts: [], step: firstWritten(draft.step) });
}

function firstWritten(step: Step): Step {
  const [first] = step.children;
  return first ? firstWritten(first) : step;
}

/** Hosts that have something to do, and those that only must prove that they have nothing. */
function hostsOf(drafts: readonly Draft[], { hosts, resources }: LeafContext): Plan['hosts'] {
  const used = new Set(drafts.flatMap(leavesOfDraft).flatMap((leaf: DraftLeaf) => leaf.hosts));
  const proving = (host: HostForPlan) =>
    resources.some(({ among }) => Object.entries(among).every(([key, value]) => host.labels[key] === value));
  return [...hosts.values()]
    .filter((host) => used.has(host.name) || proving(host))
    .map(({ name, labels, journal, machine, key }) => ({ name, labels: { ...labels }, journal, machine, key }));
}

function timesOf(draft: Draft): { step: Step; notBeforeMs: number | undefined }[] {
  if (draft.kind === 'leaf') return [];
  return [{ step: draft.step, notBeforeMs: draft.timing?.notBeforeMs }, ...draft.children.flatMap(timesOf)];
}

function clockOf(clock: Runbook['downtime'][number], context: BindContext): DowntimeClock {
  const { name, from, to, onBudget, budget } = clock;
  return { name, from: from.id, to: to.id, onBudget, ...opt('budgetMs', durationMs(budget, context)) };
}
