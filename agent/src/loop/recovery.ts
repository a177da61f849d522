import type { Applied, Failure, JsonObject } from '@signalbox/protocol';
import { passPoint } from '@signalbox/protocol/points';
import { agentError } from '../codes.ts';
import type { Stored } from '../journal/records.ts';
import { type KnownCommand, stepKey } from '../journal/state.ts';
import type { ProcessGroup } from '../ports.ts';
import { askProbe } from './ask.ts';
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
 * What the last agent began and did not end is never run again: it is found out about [I5]. First its processes must be
 * gone, by themselves within the step's time, else by force; after a new boot they are. Then the action's probe is
 * asked, for as long as it says that the server's side still works.
 */
export function recover(ports: RecoveryPorts): Promise<void>[] {
  const open = [...ports.journal.state.commands.values()].filter(({ state }) => state === 'running');
  return open.map((command) => recoverOne(ports, command));
}

async function recoverOne(ports: RecoveryPorts, known: KnownCommand): Promise<void> {
  const { journal, slots, runner, toolbox, clock, log, publisher } = ports;
  const { intent } = known;
  if (intent === undefined) return;
  const { command, before, atMs } = intent;
  let stopped: Failure | undefined;
  const release = slots.occupy(stepKey(command.run, command.step));
  const unwatch = runner.watch(command.id, (failure) => {
    stopped ??= failure;
  });
  const since = remaining(ports, intent);
  log('warn', 'a step was interrupted; finding out what became of it', { command: command.id });
  passPoint('agent.recovery.begun');
  try {
    await processesGone(ports, { known, giveUp: () => stopped !== undefined || since() <= 0 });
    const action = toolbox.actionByName(command.action);
    let probed: Applied = 'cannot-tell';
    while (action !== undefined) {
      probed = await askProbe(ports, action, { command, receipt: before });
      if (probed !== 'in-progress' || stopped !== undefined || since() <= 0) break;
      await pause(ports, LOOK_MS);
    }
    passPoint('agent.recovery.probed');
    const failure = stopped ?? interrupted(command.action, probed);
    await conclude(probed, failure, before);
  } catch (error) {
    log('error', 'recovery', { command: command.id, reason: error instanceof Error ? error.message : String(error) });
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

async function processesGone(
  ports: RecoveryPorts,
  { known, giveUp }: { known: KnownCommand; giveUp: () => boolean },
): Promise<void> {
  const { workbench, journal } = ports;
  if (known.intent?.boot !== journal.state.boot) return;
  const children = [...known.children.values()];
  const groups = children.filter((group) => group !== undefined).map(whole);
  const uncertain = children.some((group) => group === undefined);
  for (;;) {
    const alive = await workbench.survivors(known.id, groups, uncertain);
    if (alive.length === 0) return;
    if (giveUp()) for (const group of alive) workbench.killGroup(group);
    await pause(ports, LOOK_MS);
  }
}

/** What is left of the step's time. The wall clock is all that a restart leaves; it only decides how long to wait. */
function remaining({ clock }: RecoveryPorts, { command, atMs }: Stored<'intent'>): () => number {
  const usedMs = Math.min(Math.max(0, clock.nowMs() - atMs), command.timeoutMs);
  const endMs = clock.monotonicMs() + command.timeoutMs - usedMs;
  return () => endMs - clock.monotonicMs();
}

function interrupted(action: string, probed: Applied): Failure {
  return agentError('SB-AGENT-INTERRUPTED', `the agent went down during ${action}; its probe says: ${probed}`).failure;
}

const whole = ({ pid, startTicks }: { pid: number; startTicks?: string | undefined }): ProcessGroup => ({
  pid,
  startTicks,
});

const pause = ({ clock }: RecoveryPorts, ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
