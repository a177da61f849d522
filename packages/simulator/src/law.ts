import type { StoredEntry } from '@signalbox/bus';
import type { Command, RunEvent } from '@signalbox/protocol';
import { type CellRef, cellKey, cellOf, indexOf, isMoving, type RunState } from '@signalbox/sequencer';
import { Ballots } from './ballots.ts';
import { Broken, must } from './broken.ts';
import type { LaneName } from './broker.ts';
import type { CoordinatorMachines } from './coordinator-machines.ts';
import { DiskFacts } from './disk-facts.ts';
import { mustBeSomewhere, mustBeTrue, mustHaveNotes } from './end-of-day.ts';
import type { Execution, Host, HostWatch, Mark } from './host.ts';
import { LostTail } from './lost-tail.ts';
import { BEGIN_MS } from './machine.ts';
import { isSealed, mustBeInWindow, mustBeLast, mustBeReached } from './order.ts';
import type { Moved, PlannedDay } from './plans.ts';
import { StoredLog } from './stored-log.ts';
import { SECRET } from './tools.ts';

type Event<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** How old a sample may be when it is written down: the longest question, and the way. */
const SAMPLE_AGE_MS = 12_000;

export interface LawOptions {
  readonly day: PlannedDay;
  readonly run: string;
  readonly hosts: ReadonlyMap<string, Host>;
  /** What their clocks have read. */
  readonly machines: CoordinatorMachines;
  readonly nowMs: () => number;
  /** What a probe would have measured at a moment. */
  readonly truthAt: (host: string, what: string, atMs: number) => boolean;
}

/**
 * The invariants I1-I11, as somebody reads them who sees everything: the run log as it is stored, the disks, and the
 * processes on the hosts. It shares with the product only the fold of the log; how decisions are made it does not know.
 */
export class Law implements HostWatch {
  readonly #options: LawOptions;
  readonly #disks: DiskFacts;
  readonly #notes = new Set<string>();
  readonly #reinstalled = new Set<string>();
  readonly #ballots: Ballots;
  readonly #log: StoredLog;
  readonly #lost: LostTail;
  #broken: Broken | undefined;

  constructor(options: LawOptions) {
    this.#options = options;
    this.#ballots = new Ballots(options);
    this.#log = new StoredLog(options.run, options.day.plan);
    this.#lost = new LostTail(this.#log);
    this.#disks = new DiskFacts(options.hosts.keys(), { ballots: this.#ballots, lost: this.#lost });
  }

  get broken(): Broken | undefined {
    return this.#broken;
  }

  /** The run as the stored log has it. */
  get state(): RunState {
    return this.#log.state;
  }

  /** Its journal is gone. What it has done it has done: the new one must begin nothing of this run [D2]. */
  reinstalled(host: string): void {
    this.#disks.of(host).epoch = 0;
    this.#reinstalled.add(host);
    this.#ballots.forget(host);
  }

  /** Something is kept on the bus. */
  stored(data: Uint8Array): void {
    this.#judge(() => must('I9', Buffer.from(data).indexOf(SECRET) < 0, 'a secret is on the bus'));
  }

  appended(data: Uint8Array): void {
    this.#judge(() => {
      this.#log.append(data, (event, { atMs }) => {
        this.#event(event, atMs);
        this.#lost.appended(event);
      });
      this.#lost.holds(this.state);
    });
  }

  /** NATS has lost the end of what it had stored: the log is what is left. */
  putBack(stored: readonly StoredEntry[]): void {
    this.#judge(() => {
      this.#lost.lost(this.#log.putBack(stored));
      for (const note of this.#notes) if (this.#lost.hasNote(note)) this.#notes.delete(note);
    });
  }

  spawned(host: Host, { commandId, step, direction }: Execution): void {
    this.#judge(() => {
      must('I1', !host.isClone, `${commandId} is run on a clone of ${host.name}`);
      must('I1', !this.#reinstalled.has(host.name), `${commandId} is run on ${host.name}, which was installed anew`);
      const facts = this.#disks.of(host.name);
      const times = (facts.spawned.get(commandId) ?? 0) + 1;
      facts.spawned.set(commandId, times);
      must('I1', times === 1, `${commandId} is run ${times} times on ${host.name}`);
      const command = facts.intents.get(commandId);
      must('I1', command !== undefined, `${commandId} runs, and its intent is not on disk`);
      const asked = this.#log.ids.has(commandId) || this.#lost.hasAsked(commandId);
      must('I2', asked, `${commandId} runs, and the log does not ask for it`);
      const { machines, nowMs } = this.#options;
      const lateMs = Math.round(BEGIN_MS + nowMs()) - command.notAfterMs;
      must('I7', lateMs <= machines.slowestMs, `${commandId} is started ${lateMs} ms late`);
      if (direction === 'undo')
        must('I3', !isSealed(this.state, step), `${step} is undone behind a point of no return`);
    });
  }

  marked(_host: Host, _step: string, _mark: Mark): void {
    this.#judge(() => {
      for (const moved of this.#options.day.moved) {
        const users = [moved.from.host, moved.to.host].filter((host) => this.isActive(host, moved));
        must('I10', users.length <= 1, `${moved.resource} is in use on ${users.join(' and ')}`);
      }
    });
  }

  /** In use where it came from until it is wholly stopped, and where it goes to as soon as it is begun. */
  isActive(host: string, { from, to }: Moved): boolean {
    const markOn = (name: string, step: string) => this.#options.hosts.get(name)?.mark(step) ?? 'none';
    return host === from.host ? markOn(host, from.step) !== 'applied' : markOn(host, to.step) !== 'none';
  }

  /** A line that an agent has written and does not rely on yet. */
  written(host: string, line: string): void {
    if (!line.includes('"type":"intent"')) return;
    this.#judge(() => {
      const { command } = JSON.parse(line.slice(9)) as { command: Command };
      this.#ballots.begins(host, command.id);
    });
  }

  /** A line that the host's disk has for good. */
  durable(host: string, line: string): void {
    this.#judge(() => {
      must('I9', !line.includes(SECRET), `a secret is in the journal of ${host}`);
      const record: unknown = JSON.parse(line.slice(9));
      if (isRecord(record)) this.#disks.add(host, record);
    });
  }

  /** An agent tells the stream that it has dealt with a message. */
  acked(host: string, lane: LaneName, id: string): void {
    this.#judge(() => {
      must(
        'I1',
        this.#disks.of(host).known.has(id),
        `${host} acknowledges ${lane} ${id}, and nothing of it is on disk`,
      );
    });
  }

  /** An operator was told that this note is taken. */
  acknowledged(note: string): void {
    this.#judge(() => {
      // The answer may come after what it was about is gone.
      if (this.#lost.hasNote(note)) return;
      this.#notes.add(note);
      mustHaveNotes(this.state, this.#notes);
    });
  }

  /** After a calm time, in which people did what was theirs. */
  ended(): void {
    this.#judge(() => {
      if (this.state.status === 'planned' && this.#mustNotBegin()) return;
      mustBeSomewhere(this.state);
      mustHaveNotes(this.state, this.#notes);
      this.#lost.ended();
      const wasNamed = (host: string, step: string) =>
        this.#lost.wasNamed(host, step, this.#disks.of(host).intents.values());
      mustBeTrue(this.state, { hosts: this.#options.hosts, declared: this.#log.declared, wasNamed });
    });
  }

  /** Made for a host that is no more, or for a night that is over: whoever starts it is told so. */
  #mustNotBegin(): boolean {
    const notAfterMs = this.state.plan.window?.notAfterMs ?? Number.POSITIVE_INFINITY;
    return this.#reinstalled.size > 0 || BEGIN_MS + this.#options.nowMs() >= notAfterMs;
  }

  #event(event: RunEvent, atMs: number): void {
    switch (event.type) {
      case 'StepStarted':
        this.#started(event, atMs);
        return;
      case 'StepSucceeded':
        this.#succeeded(event, atMs);
        return;
      case 'StepReset':
        this.#reset(event);
        return;
      case 'UndoStarted':
        must('I3', this.state.crossed.length === 0, 'the run turns round behind a point of no return');
        return;
      case 'Crossed':
        must('I2', isMoving(this.state), `crossed while ${this.state.status}`);
        this.#ballots.crossed(event, this.state);
        return;
      default:
        return;
    }
  }

  #started(event: Event<'StepStarted'>, atMs: number): void {
    const { step, host, direction, work } = event;
    const ref = this.#ref(step, host);
    const cell = cellOf(this.state, ref);
    must('I2', isMoving(this.state), `${ref.key} is started while the run is ${this.state.status}`);
    must('I5', cell.phase !== 'unknown' || cell.direction !== direction, `${ref.key} is run again while it is unknown`);
    if (work.kind === 'command') {
      must('I1', !this.#log.ids.has(work.id), `${work.id} is asked for twice`);
    }
    this.#ballots.started(event);
    if (direction === 'do') mustBeInWindow(this.state, ref, atMs);
    if (direction === 'do') mustBeReached(this.state, ref);
    else mustBeLast(this.state, ref);
  }

  #succeeded({ step, host, direction, via, attempt }: Event<'StepSucceeded'>, atMs: number): void {
    const ref = this.#ref(step, host);
    if (host === null || via === 'operator') return;
    if (ref.leaf.kind === 'action') {
      const id = this.#commandOf(step, { host, direction, attempt });
      must('I11', id !== undefined, `${ref.key} succeeded, and ${host} has not said so`);
      const mark = this.#options.hosts.get(host)?.mark(step) ?? 'none';
      const goal = direction === 'do' || ref.onlyUndo ? 'applied' : 'none';
      const moved = this.#lost.hasMoved(step, this.#disks.of(host).intents.values());
      must('I5', mark === goal || moved, `${ref.key} succeeded (${direction}), and is ${mark}`);
    } else if (ref.leaf.kind === 'gate') {
      const what = ref.leaf.targets.find((target) => target.host === host)?.with.what;
      const wasTrue = this.#options.machines.momentsOf(atMs).some((ms) => this.#wasTrue(host, String(what), ms));
      must('I2', wasTrue, `${ref.key} is met, and was not true for ${SAMPLE_AGE_MS} ms`);
    }
  }

  /** The command of that try, when its host has its success on disk. */
  #commandOf(step: string, { host, direction, attempt }: { host: string; direction: string; attempt: number }) {
    const { intents, outcomes } = this.#disks.of(host);
    for (const [id, command] of intents) {
      const same = command.step === step && command.attempt === attempt;
      if (same && command.direction === direction && outcomes.get(id) === 'succeeded') return id;
      // A step that is passed only on the way back is done, not undone.
      if (same && outcomes.get(id) === 'succeeded' && this.#ref(step, host).onlyUndo) return id;
    }
    return undefined;
  }

  #wasTrue(host: string, what: string, untilMs: number): boolean {
    for (let ms = untilMs; ms > untilMs - SAMPLE_AGE_MS; ms -= 500)
      if (this.#options.truthAt(host, what, ms)) return true;
    return false;
  }

  /** Forgotten without a person's word: only what is proven not to have been done [I5]. */
  #reset({ step, host, by }: Event<'StepReset'>): void {
    const ref = this.#ref(step, host);
    const cell = cellOf(this.state, ref);
    if (cell.phase !== 'unknown' || by !== undefined || host === null) return;
    const work = cell.work?.kind === 'command' ? cell.work.id : '';
    const ran = this.#disks.of(host).spawned.has(work);
    const undone = cell.probed === 'not-applied' || cell.probed === 'partial';
    must('I5', undone || !ran, `${ref.key} is forgotten, and it was run`);
  }

  #ref(step: string, host: string | null): CellRef {
    const ref = indexOf(this.state.plan).byKey.get(cellKey(step, host));
    if (ref === undefined) throw new Broken('I2', `the plan has no ${step} on ${host ?? 'no host'}`);
    return ref;
  }

  /** The first thing that is broken is what counts: the rest may follow from it. */
  #judge(look: () => void): void {
    if (this.#broken) return;
    try {
      look();
    } catch (error) {
      this.#broken =
        error instanceof Broken
          ? error
          : new Broken('LAW', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
