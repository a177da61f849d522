import type { Delivery } from '@signalbox/bus';
import { Command, type Failure, type JsonObject } from '@signalbox/protocol';
import { open } from '@signalbox/protocol/crypto';
import { passPoint } from '@signalbox/protocol/points';
import { agentError } from '../codes.ts';
import type { Journal } from '../journal/journal.ts';
import type { Stored } from '../journal/records.ts';
import { stepKey } from '../journal/state.ts';
import type { Clock, Log, NoteProblem, Toolbox } from '../ports.ts';
import { failureOf } from './ask.ts';
import { contentOf } from './content.ts';
import { judgeCommand, judgeTime, type Verdict } from './judge.ts';
import type { MeshTime } from './mesh-time.ts';
import { type Asked, keptOf, type Proofs } from './proof.ts';
import type { Publisher } from './publisher.ts';
import type { Runner } from './runner.ts';
import type { Release, Slots } from './slots.ts';
import type { Votes } from './votes.ts';

/** How often the stream hears that a command still waits for a slot; well below the consumer's wait for an ack. */
const WORKING_MS = 5_000;
/** How long a command waits for the coordinator's time to become known, or for a release. Five beats. */
const PATIENCE_MS = 10_000;

/**
 * D1, the way of one command: verify, judge, wait for a slot without acknowledging, judge again, capture the
 * before-receipt, look at the guards of what it was crossed for, judge once more, intent to disk, acknowledge, run.
 */
export interface CommandLoop {
  handle(delivery: Delivery): Promise<void>;
  /** Commands in the queue are judged again: they were withdrawn, or a leader followed. */
  reconsider(): void;
  /** Takes nothing more; what waits stays in the stream, unacknowledged. */
  stop(): void;
}

export interface CommandLoopPorts {
  journal: Journal;
  clock: Clock;
  log: Log;
  toolbox: Toolbox;
  time: MeshTime;
  slots: Slots;
  runner: Runner;
  votes: Votes;
  publisher: Publisher;
  problem: NoteProblem;
  trusts: (publicKey: string) => boolean;
  /** Left out where the coordinator's word is enough. */
  proofs?: Proofs | undefined;
}

/** A command between its arrival and its intent. The same one may arrive several times: live and by catching up. */
interface Admission {
  readonly content: string;
  readonly asked: Asked | undefined;
  readonly deliveries: Delivery[];
  /** Ends the present wait, so that the command is judged again. */
  wake: AbortController;
  /** Resolves when the admission is over, whatever came of it. */
  over: Promise<void>;
}

export function createCommandLoop(ports: CommandLoopPorts): CommandLoop {
  const { journal, clock, log, toolbox, time, slots, runner, votes, publisher, problem, trusts, proofs } = ports;
  const admissions = new Map<string, Admission>();
  let stopped = false;

  const judge = (command: Command, { asked }: Admission): Verdict =>
    judgeCommand(journal.state, command, { time: time.bound(), ...toolbox, asked });

  async function handle(delivery: Delivery): Promise<void> {
    if (stopped || journal.failure !== undefined) return;
    const command = read(delivery);
    if (command === undefined) return;
    passPoint('agent.command.received');
    const content = contentOf(command);
    const pending = admissions.get(command.id);
    if (pending?.content === content) return void pending.deliveries.push(delivery);
    if (pending !== undefined) {
      // The same id with other content [I1]: the first one's fate is journaled first, then this one is judged by it.
      await pending.over;
      return handle(delivery);
    }
    let finish = () => {};
    const over = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const asked = proofs?.(journal.state, command);
    const admission: Admission = { content, asked, deliveries: [delivery], wake: new AbortController(), over };
    admissions.set(command.id, admission);
    const stopWorking = keepWorking(admission);
    try {
      await admit(command, admission);
    } catch (error) {
      // The journal failed: nobody was told anything, and the command stays in the stream.
      log('error', 'command not accepted', { command: command.id, reason: textOf(error) });
    } finally {
      stopWorking();
      admissions.delete(command.id);
      finish();
    }
  }

  /** The command, or undefined when the message cannot be trusted; then it is terminated and noted, not reported. */
  function read(delivery: Delivery): Command | undefined {
    try {
      const { payload } = open(delivery.data, { kind: 'command', schema: Command, trusts });
      if (payload.id !== delivery.id) {
        throw agentError('SB-AGENT-ID', `${payload.id} came on the subject of ${delivery.id}`);
      }
      return payload;
    } catch (error) {
      problem(failureOf(error), { subject: delivery.id });
      delivery.terminate();
      return undefined;
    }
  }

  async function admit(command: Command, admission: Admission): Promise<void> {
    const giveUpMs = clock.monotonicMs() + PATIENCE_MS;
    while (!stopped) {
      const verdict = judge(command, admission);
      switch (verdict.type) {
        case 'running':
          return acknowledge(admission, [journal.state.commands.get(command.id)?.intent]);
        case 'answer': {
          const known = journal.state.commands.get(command.id);
          return acknowledge(admission, [known?.intent, known?.outcome, known?.refusal]);
        }
        case 'reject':
          problem(verdict.failure, { command: command.id });
          return terminate(admission);
        case 'refuse':
          return refuse(command, admission, verdict.failure);
        case 'wait':
          if (clock.monotonicMs() >= giveUpMs) return refuse(command, admission, verdict.failure);
          await somethingKnown(admission, giveUpMs - clock.monotonicMs());
          break;
        case 'go': {
          const done = await waitForSlot(command, admission);
          if (done) return;
        }
      }
    }
  }

  /** @returns false when the command must be judged again. */
  async function waitForSlot(command: Command, admission: Admission): Promise<boolean> {
    admission.wake = new AbortController();
    const cancel = clock.after(lateInMs(command), () => admission.wake.abort());
    const release = await slots.take(stepKey(command.run, command.step), admission.wake.signal);
    cancel();
    if (release === undefined) return false;
    try {
      return await accept(command, admission, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** In a slot now. The capture may take a while, so everything is judged again right before the intent. */
  async function accept(command: Command, admission: Admission, release: Release): Promise<boolean> {
    if (stopped || judge(command, admission).type !== 'go') return giveBack(release);
    let before: JsonObject;
    try {
      before = await runner.capture(command);
    } catch (error) {
      release();
      await refuse(command, admission, onlyAsked(failureOf(error)));
      return true;
    }
    const objection = await votes.objection(command);
    if (objection) {
      release();
      await refuse(command, admission, objection);
      return true;
    }
    if (stopped || judge(command, admission).type !== 'go') return giveBack(release);
    const { asked, content } = admission;
    const { proof: _, prerequisites: __, ...kept } = command;
    const intent = journal.append({
      type: 'intent',
      // What proves it has done its work.
      command: kept,
      content,
      before,
      boot: journal.state.boot,
      ...keptOf(asked),
      monotonicMs: clock.monotonicMs(),
    });
    passPoint('agent.intent.written');
    await journal.sync();
    passPoint('agent.intent.synced');
    for (const delivery of admission.deliveries) delivery.ack();
    passPoint('agent.command.acknowledged');
    // First the work, then the word: sealing goes on while the process starts.
    void start(command, admission.content, release);
    publisher.publish(intent);
    return true;
  }

  /** At spawn, the moment is looked at once more [I7]: the disk may have been slow. */
  async function start(command: Command, content: string, release: Release): Promise<void> {
    try {
      const verdict = judgeTime(command, time.bound());
      if (verdict.type === 'go') await runner.run(command);
      else if ('failure' in verdict) await record(command, content, verdict.failure);
    } catch (error) {
      log('error', 'step ended, but its outcome could not be kept', { command: command.id, reason: textOf(error) });
    } finally {
      release();
    }
  }

  async function refuse(command: Command, admission: Admission, failure: Failure): Promise<void> {
    await record(command, admission.content, failure);
    terminate(admission);
  }

  async function record(command: Command, content: string, failure: Failure): Promise<void> {
    log('warn', 'command refused', { command: command.id, code: failure.code, reason: failure.message });
    const { id, run, step, direction, attempt, epoch } = command;
    const ref = { id, run, step, direction, attempt, epoch };
    const refusal = journal.append({ type: 'refused', command: ref, content, failure });
    await journal.sync();
    publisher.publish(refusal);
  }

  /** Nobody is told of a record before it is on disk, not even about one that another delivery has just written. */
  async function acknowledge(admission: Admission, records: (Stored | undefined)[]): Promise<void> {
    await journal.sync();
    for (const delivery of admission.deliveries) delivery.ack();
    for (const stored of records) if (stored) publisher.publish(stored);
  }

  function terminate(admission: Admission): void {
    for (const delivery of admission.deliveries) delivery.terminate();
  }

  function keepWorking(admission: Admission): () => void {
    let cancel = () => {};
    const tick = () => {
      for (const delivery of admission.deliveries) delivery.working();
      cancel = clock.after(WORKING_MS, tick);
    };
    cancel = clock.after(WORKING_MS, tick);
    return () => cancel();
  }

  async function somethingKnown(admission: Admission, atMostMs: number): Promise<void> {
    admission.wake = new AbortController();
    const { signal } = admission.wake;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(atMostMs, resolve);
      signal.addEventListener('abort', () => {
        cancel();
        resolve();
      });
    });
  }

  function lateInMs(command: Command): number {
    const now = time.bound();
    return now.type === 'bounded' ? Math.max(1, command.notAfterMs - now.latestMs + 1) : 1;
  }

  function reconsider(): void {
    for (const { wake } of admissions.values()) wake.abort();
  }

  time.onLearn(() => {
    for (const admission of admissions.values()) admission.wake.abort();
  });

  return {
    handle,
    reconsider,
    stop() {
      stopped = true;
      reconsider();
    },
  };
}

function giveBack(release: Release): false {
  release();
  return false;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A check changes nothing: a question that was cut off leaves nothing unknown, and may be asked again. */
const onlyAsked = (failure: Failure): Failure =>
  failure.class === 'unknown' ? { ...failure, class: 'retryable' } : failure;
