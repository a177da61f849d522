import type { Action } from '@signalbox/actions';
import { type Command, type Failure, type JsonObject, SignalboxError } from '@signalbox/protocol';
import { passPoint } from '@signalbox/protocol/points';
import { agentError } from '../codes.ts';
import type { Journal } from '../journal/journal.ts';
import { firstBefore, type KnownCommand, receiptOf, wholeGroup } from '../journal/state.ts';
import type { Clock, EarlierProcess, Execution, HostReader, Log, ProcessNote, Toolbox, Workbench } from '../ports.ts';
import { askProbe, bounded, executionIdOf, failureOf } from './ask.ts';
import { type End, needsProbe, outcomeOf } from './outcome.ts';
import type { Publisher } from './publisher.ts';

/** What an action gets to let go after it was stopped; its processes are being killed meanwhile. */
const LET_GO_MS = 10_000;
/** A check looks around and captures; what takes longer is stuck. */
const CHECK_TIMEOUT_MS = 60_000;
/** A report has to fit into a message, beside the command's names and a failure. */
const MAX_RECEIPT_BYTES = 262_144;

export interface Runner {
  /** What undo will need, before anything is touched. @throws SignalboxError: the command is not to be run. */
  capture(command: Command): Promise<JsonObject>;
  /** Runs a command whose intent is on disk, to the report of its outcome. */
  run(command: Command): Promise<void>;
  /**
   * Goes on with a command that an agent before this one had begun, in the same boot, where its action allows that.
   * @returns false when that cannot be done: nothing was started and nothing is known yet.
   */
  resume(known: KnownCommand): Promise<boolean>;
  /** Stops a running command. False when it does not run. */
  stop(id: string, failure: Failure): boolean;
  /** Lets `stop` reach something that runs elsewhere: what a dead agent left behind. */
  watch(id: string, stop: (failure: Failure) => void): () => void;
  readonly running: () => string[];
  /** Resolves when nothing runs, or after `timeoutMs`. */
  finished(timeoutMs: number): Promise<void>;
}

export interface RunnerPorts {
  journal: Journal;
  clock: Clock;
  log: Log;
  toolbox: Toolbox;
  workbench: Workbench;
  publisher: Publisher;
  reader: Pick<HostReader, 'goingDown'>;
}

export function createRunner(ports: RunnerPorts): Runner {
  const { journal, clock, log, toolbox, workbench, publisher, reader } = ports;
  const active = new Map<string, (failure: Failure) => void>();
  let idle: (() => void)[] = [];

  function actionOf(command: Command): Action {
    const action = toolbox.actionByName(command.action);
    if (action === undefined) throw agentError('SB-AGENT-UNKNOWN-ACTION', `no action ${command.action} here`);
    return action;
  }

  async function capture(command: Command): Promise<JsonObject> {
    const { run, step } = command;
    if (command.direction === 'undo') return small({ ...receiptOf(journal.state, run, step), ...command.receipt });
    const inherited = firstBefore(journal.state, run, step);
    if (inherited) return inherited;
    const action = actionOf(command);
    const timeoutMs = Math.min(command.timeoutMs, CHECK_TIMEOUT_MS);
    const options = { executionId: executionIdOf(command), timeoutMs, what: `${action.name} check` };
    const input = action.schema.parse(command.with);
    const { before, problems } = await bounded(ports, options, async (context) => {
      const checked = await action.check(context, input);
      return { before: checked.before, problems: checked.problems };
    });
    const [problem] = problems;
    if (problem) throw new SignalboxError(problem);
    return small(before);
  }

  async function run(command: Command): Promise<void> {
    const began = { startedAtMs: clock.nowMs(), startMs: clock.monotonicMs() };
    const action = actionOf(command);
    const executed = await execute(command, action, { startMs: began.startMs });
    await conclude(command, action, { ...executed, ...began });
  }

  async function resume({ intent, children }: KnownCommand): Promise<boolean> {
    const earlier = earlierOf(children);
    if (intent?.monotonicMs === undefined || earlier === undefined || intent.boot !== journal.state.boot) return false;
    const { command, monotonicMs: startMs, atMs: startedAtMs } = intent;
    const action = toolbox.actionByName(command.action);
    if (action?.resumable?.includes(command.direction) !== true || action.version !== command.version) return false;
    log('info', 'step goes on after the restart', { command: command.id, action: command.action });
    const executed = await execute(command, action, { startMs, earlier });
    const { end, leave } = executed;
    const lost = end.type === 'threw' && end.failure.code === 'SB-AGENT-EXIT-LOST';
    if (executed.diverged || lost) {
      leave();
      return false;
    }
    await conclude(command, action, { ...executed, startMs, startedAtMs });
    return true;
  }

  async function conclude(command: Command, action: Action, executed: Executed & Began): Promise<void> {
    const { end, outputBytes, leave, startedAtMs, startMs } = executed;
    const receipt = journal.state.commands.get(command.id)?.intent?.before ?? {};
    try {
      // A host that goes down ends processes and starts none: that says nothing of the step. It is asked after the boot.
      if (end.type === 'threw' && (await reader.goingDown())) {
        log('warn', 'step left to the next start: the host goes down', { command: command.id });
        return;
      }
      const begun = { atMs: startedAtMs, monotonicMs: startMs };
      const probed = needsProbe(end) ? await askProbe(ports, action, { command, receipt, begun }) : undefined;
      passPoint('agent.step.ended');
      const { effect } = action;
      const outcome = outcomeOf(end, {
        receipt,
        direction: command.direction,
        effect: typeof effect === 'function' ? effect(action.schema.parse(command.with)) : effect,
        probed,
      });
      const durationMs = clock.monotonicMs() - startMs;
      const body = { commandId: command.id, outcome, startedAtMs, durationMs, outputBytes };
      const record = journal.append({ type: 'outcome', ...body });
      passPoint('agent.outcome.written');
      await journal.sync();
      passPoint('agent.outcome.synced');
      publisher.publish(record);
      const failed =
        outcome.status === 'succeeded' ? {} : { code: outcome.failure.code, reason: outcome.failure.message };
      log('info', `step ${outcome.status}`, { command: command.id, durationMs: Math.round(durationMs), ...failed });
    } finally {
      // It runs until its outcome is on its way: an agent that is asked to stop waits for that.
      leave();
    }
  }

  async function execute(
    command: Command,
    action: Action,
    { startMs, earlier }: { startMs: number; earlier?: readonly EarlierProcess[] },
  ): Promise<Executed> {
    const receipt = journal.state.commands.get(command.id)?.intent?.before ?? {};
    const controller = new AbortController();
    let stopped: Failure | undefined;
    let over = false;
    let cancelLetGo = () => {};
    let letGo = () => {};
    const hung = new Promise<End>((resolve) => {
      letGo = () => {
        if (stopped) resolve({ type: 'stopped', failure: stopped, settled: false });
      };
    });
    // The first reason wins: a kill during a timeout is still a timeout.
    const stop = (failure: Failure) => {
      if (over || stopped !== undefined) return;
      stopped = failure;
      controller.abort(new SignalboxError(failure));
      cancelLetGo = clock.after(LET_GO_MS, letGo);
    };
    const leave = watch(command.id, stop);
    const timeout = agentError('SB-AGENT-TIMEOUT', `${command.action} did not end within ${command.timeoutMs} ms`);
    // The step's time began with its intent, whichever agent measures it.
    const leftMs = Math.max(0, startMs + command.timeoutMs - clock.monotonicMs());
    const cancelTimeout = clock.after(leftMs, () => stop(timeout.failure));
    const execution = workbench.open({
      executionId: executionIdOf(command),
      signal: controller.signal,
      command,
      earlier,
      onProcess: (child, note) => {
        if (note.group !== undefined) passPoint('agent.process.started');
        // A running child stays in the journal as one that may have started: it is found by its mark, too.
        if (note.group !== undefined && journal.failure !== undefined) return;
        journal.append({ type: 'process', commandId: command.id, child, ...noted(note, clock) });
        if (note.group === undefined) passPoint('agent.process.starting');
      },
    });
    const doing = attempt(execution, { action, command, receipt }).then(
      (returned): End => ({ type: 'returned', receipt: returned }),
      (error): End =>
        stopped ? { type: 'stopped', failure: stopped, settled: true } : { type: 'threw', failure: failureOf(error) },
    );
    // After the start: nobody waits for the log.
    log('info', 'step started', { command: command.id, action: command.action });
    const end = await Promise.race([doing, hung]);
    cancelTimeout();
    over = true;
    cancelLetGo();
    const { outputBytes, diverged = false } = await execution.close();
    return { end: execution.redact(end), outputBytes, diverged, leave };
  }

  function watch(id: string, stop: (failure: Failure) => void): () => void {
    active.set(id, stop);
    return () => {
      active.delete(id);
      if (active.size > 0) return;
      for (const call of idle) call();
      idle = [];
    };
  }

  return {
    capture,
    run,
    resume,
    watch,
    running: () => [...active.keys()],
    stop(id, failure) {
      const stop = active.get(id);
      stop?.(failure);
      return stop !== undefined;
    },
    async finished(timeoutMs) {
      if (active.size === 0) return;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(timeoutMs, resolve);
        idle.push(() => {
          cancel();
          resolve();
        });
      });
    },
  };
}

interface Began {
  startedAtMs: number;
  /** On the clock of this boot. */
  startMs: number;
}

interface Executed {
  end: End;
  outputBytes: number;
  diverged: boolean;
  /** Ends what `running` says of it. */
  leave: () => void;
}

async function attempt(
  { context }: Execution,
  { action, command, receipt }: { action: Action; command: Command; receipt: JsonObject },
): Promise<JsonObject> {
  const input = action.schema.parse(command.with);
  if (command.direction === 'do') return small(await action.run(context, input, receipt));
  if (action.undo === undefined) throw agentError('SB-AGENT-NO-UNDO', `${action.name} has no undo`);
  return small(await action.undo(context, input, receipt));
}

/** Once: when it is asked for. What follows adds its group. */
function noted({ asked, group }: ProcessNote, clock: Clock) {
  if (group === undefined) return { monotonicMs: clock.monotonicMs(), ...(asked === undefined ? {} : { asked }) };
  const { pid, startTicks } = group;
  return { group: startTicks === undefined ? { pid } : { pid, startTicks } };
}

/** What was begun before the restart, in order; undefined when nothing was, or it is not known when. */
function earlierOf(children: KnownCommand['children']): EarlierProcess[] | undefined {
  const earlier = [...children].flatMap(([child, { asked, monotonicMs, group }]) =>
    monotonicMs === undefined ? [] : [{ child, asked, monotonicMs, group: group && wholeGroup(group) }],
  );
  const complete = earlier.length === children.size && earlier.some(({ asked }) => asked !== undefined);
  return complete ? earlier.sort((a, b) => a.child - b.child) : undefined;
}

function small(receipt: JsonObject): JsonObject {
  const bytes = Buffer.byteLength(JSON.stringify(receipt));
  if (bytes <= MAX_RECEIPT_BYTES) return receipt;
  throw agentError('SB-AGENT-ACTION-BROKE', `a receipt of ${bytes} bytes; the most is ${MAX_RECEIPT_BYTES}`);
}
