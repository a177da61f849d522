import type { Action, Begun } from '@signalbox/actions';
import type { Applied, Command, Failure, JsonObject } from '@signalbox/protocol';
import { passPoint } from '@signalbox/protocol/points';
import { agentError } from '../codes.ts';
import type { Stored } from '../journal/records.ts';
import { type KnownCommand, stepKey, wholeGroup } from '../journal/state.ts';
import { askProbe, executionIdOf } from './ask.ts';
import { outcomeAfterCrash } from './outcome.ts';
import type { Runner, RunnerPorts } from './runner.ts';
import type { Slots } from './slots.ts';

/** How often one looks whether what was left behind has ended. */
const LOOK_MS = 1_000;

export interface RecoveryPorts extends RunnerPorts {
  slots: Slots;
  runner: Runner;
}

/**
 * What the last agent began and did not end is never run again: it is found out about [I5]. Where its action allows it,
 * its processes are followed to their own end. Else they must be
 * gone first, by themselves within the step's time, else by force; after a new boot they are. Then the action's probe is
 * asked, for as long as it says that the server's side still works.
 */
export function recover(ports: RecoveryPorts): Promise<void>[] {
  const open = [...ports.journal.state.commands.values()].filter(({ state }) => state === 'running');
  return open.map((command) => recoverOne(ports, command));
}

async function recoverOne(ports: RecoveryPorts, known: KnownCommand): Promise<void> {
  const { journal, slots, runner, clock, log, publisher } = ports;
  const { intent } = known;
  if (intent === undefined) return;
  const { command, before, atMs } = intent;
  let stopped: Failure | undefined;
  const action = allowedAction(ports, command);
  const release = slots.occupy(stepKey(command.run, command.step));
  passPoint('agent.recovery.begun');
  try {
    if (action !== undefined && (await runner.resume(known))) return release();
  } catch (error) {
    log('error', 'recovery', { command: command.id, reason: textOf(error) });
    return release();
  }
  const unwatch = runner.watch(command.id, (failure) => {
    stopped ??= failure;
  });
  const since = remaining(ports, intent);
  log('warn', 'a step was interrupted; finding out what became of it', { command: command.id });
  try {
    await processesGone(ports, { known, giveUp: () => stopped !== undefined || since() <= 0 });
    let probed: Applied = 'cannot-tell';
    while (action !== undefined) {
      probed = await askProbe(ports, action, { command, receipt: before, begun: begunIn(journal.state.boot, intent) });
      if (probed !== 'in-progress' || stopped !== undefined || since() <= 0) break;
      await pause(ports, LOOK_MS);
    }
    passPoint('agent.recovery.probed');
    const failure = stopped ?? interrupted(command.action, probed);
    await conclude(probed, failure, before);
  } catch (error) {
    log('error', 'recovery', { command: command.id, reason: textOf(error) });
  } finally {
    unwatch();
    release();
  }

  async function conclude(probed: Applied, failure: Failure, receipt: JsonObject): Promise<void> {
    const outcome = outcomeAfterCrash(probed, { receipt, failure });
    const durationMs = Math.max(0, clock.nowMs() - atMs);
    const body = { commandId: command.id, outcome, startedAtMs: atMs, durationMs, outputBytes: 0 };
    const record = journal.append({ type: 'outcome', ...body });
    await journal.sync();
    publisher.publish(record);
    log('info', `interrupted step ${outcome.status}`, { command: command.id, probed });
  }
}

/** What the host's owner has forbidden since is not gone on with, nor is its own program asked what became of it. */
function allowedAction({ toolbox }: RecoveryPorts, command: Command): Action | undefined {
  const action = toolbox.actionByName(command.action);
  const input = action?.schema.safeParse(command.with);
  if (action === undefined || !input?.success) return undefined;
  return toolbox.policy.refusal({ kind: 'action', action, input: input.data }) ? undefined : action;
}

async function processesGone(
  ports: RecoveryPorts,
  { known, giveUp }: { known: KnownCommand; giveUp: () => boolean },
): Promise<void> {
  const { workbench, journal } = ports;
  if (known.intent?.boot !== journal.state.boot) return;
  const children = [...known.children.values()];
  const groups = children.flatMap(({ group }) => (group === undefined ? [] : [wholeGroup(group)]));
  const command = { id: known.id, executionId: executionIdOf(known.intent.command) };
  const uncertain = children.some(({ group }) => group === undefined);
  for (;;) {
    // What is ended is ended as a whole: also what made a session of its own.
    const alive = await workbench.survivors(command, groups, uncertain || giveUp());
    if (alive.length === 0) return;
    if (giveUp()) for (const group of alive) workbench.killGroup(group);
    await pause(ports, LOOK_MS);
  }
}

/** What is left of the step's time: by the clock of this boot, which the restart did not stop. */
function remaining({ clock, journal }: RecoveryPorts, intent: Stored<'intent'>) {
  const { timeoutMs } = intent.command;
  const { atMs, monotonicMs } = begunIn(journal.state.boot, intent);
  // After a boot the wall clock is all that is left; it only decides how long to wait.
  const usedMs = monotonicMs === undefined ? Math.max(0, clock.nowMs() - atMs) : clock.monotonicMs() - monotonicMs;
  const endMs = clock.monotonicMs() + timeoutMs - Math.min(usedMs, timeoutMs);
  return () => endMs - clock.monotonicMs();
}

function begunIn(boot: string, { atMs, monotonicMs, boot: then }: Stored<'intent'>): Begun {
  return boot === then && monotonicMs !== undefined ? { atMs, monotonicMs } : { atMs };
}

function interrupted(action: string, probed: Applied): Failure {
  return agentError('SB-AGENT-INTERRUPTED', `the agent went down during ${action}; its probe says: ${probed}`).failure;
}

const pause = ({ clock }: RecoveryPorts, ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
