import type { LogEntry, LogHead, RunEvent } from '@signalbox/protocol';
import { SignalboxError } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { passPoint } from '@signalbox/protocol/points';
import {
  decide,
  type Effect,
  evolveEntry,
  type Input,
  isEnded,
  type Now,
  pending,
  type RunState,
} from '@signalbox/sequencer';
import { coordinatorError } from './codes.ts';
import { Effects } from './effects.ts';
import { FRESH_MS, GOOD_NEWS, Hearing, OF_HOSTS } from './hearing.ts';
import type { Ports } from './ports.ts';
import type { HostQueries } from './queries.ts';
import { appendEntry, isStored, type LoadedRun, type LogHeadPosition, type NewEntry } from './run-log.ts';

export interface RunnerOptions {
  readonly ports: Ports;
  readonly queries: HostQueries;
  readonly loaded: LoadedRun;
  /** After each appended entry. */
  readonly onEntry: (runner: Runner, entry: LogEntry, before: RunState) => void;
  /** The run is led by somebody else, or cannot be led any more. */
  readonly onLost: (runner: Runner, error: unknown) => void;
}

/** What a new leader may do before it has heard the hosts: it tells people, and lets nothing more begin. */
const HARMLESS: ReadonlySet<Effect['type']> = new Set<Effect['type']>(['page', 'void', 'closed']);

/** How long to wait before an append that the bus could not answer for is tried again. */
const APPEND_RETRY_MS = 500;

/**
 * Leads one run: one input at a time becomes a decision, a decision becomes an entry in the log, and only what is in the
 * log is acted on. Whoever submits an input hears back after the append [I8].
 */
export class Runner {
  readonly run: string;
  readonly planText: string;
  readonly effects: Effects;
  readonly #options: RunnerOptions;
  readonly #entries: LogEntry[];
  #state: RunState;
  /** When it was last decided on: what was due by then has been looked at. */
  #lookedAt: Pick<Now, 'atMs' | 'runMs'>;
  #head: LogHeadPosition;
  /** Run time stands still while nobody leads: it goes on from where the log left it. */
  readonly #runTimeOffsetMs: number;
  #queue: Promise<unknown> = Promise.resolve();
  #stopped = false;
  /** Whether what is pending may happen: not before the hosts have said what they know [D3]. */
  #released: boolean;
  readonly #heads: Map<number, string>;
  /** Whether they have said it; what they have done may have to be decided on before that is released. */
  readonly #hearing: Hearing;

  constructor(options: RunnerOptions) {
    const { loaded, ports } = options;
    this.run = loaded.state.run;
    this.planText = loaded.planText;
    this.#options = options;
    this.#entries = [...loaded.entries];
    this.#state = loaded.state;
    this.#lookedAt = loaded.state;
    this.#head = loaded.head;
    this.#heads = new Map(loaded.heads);
    // A host that knows another run of that name refuses what is asked of it in this one, so nothing is waited for.
    this.#released = loaded.entries.length === 0;
    this.#hearing = new Hearing(this.#released);
    this.#runTimeOffsetMs = loaded.state.runMs - ports.clock.monotonicMs();
    this.effects = new Effects({
      ports,
      queries: options.queries,
      submit: (input) => this.#found(input),
      state: () => this.#state,
      head: () => ({ sequence: Math.max(0, this.#head.sequence), hash: this.#head.hash }),
      runMs: () => this.runMs(),
    });
  }

  get state(): RunState {
    return this.#state;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  runMs(): number {
    return Math.round(this.#runTimeOffsetMs + this.#options.ports.clock.monotonicMs());
  }

  /** Decides on one input. @throws what `decide` throws for a person's request that cannot be. */
  async submit(input: Input): Promise<readonly RunEvent[]> {
    if (OF_HOSTS.has(input.type)) await new Promise<void>((resolve) => this.whenHeard(resolve));
    return await this.#inTurn(() => this.#take([input]));
  }

  /**
   * What the effects came to: nothing while the hosts are being heard. Good news that had to wait, for a log that could not be
   * written, is old news. What is still pending is asked for again.
   */
  #found(input: Input): Promise<readonly RunEvent[]> {
    const { clock } = this.#options.ports;
    const foundMs = clock.monotonicMs();
    return this.#inTurn(async () => {
      const isOld = GOOD_NEWS.has(input.type) && clock.monotonicMs() - foundMs > FRESH_MS;
      return this.#hearing.over && !isOld ? await this.#take([input]) : [];
    });
  }

  /**
   * Creation and leadership are one decision each, in one entry when both are new. A run whose creation cannot be written
   * now does not begin: whoever asked is told so, and nothing must start by itself when there is room again.
   * @throws what the bus throws, when a creation is among the inputs.
   */
  begin(inputs: readonly Input[]): Promise<readonly RunEvent[]> {
    const insist = !inputs.some(({ type }) => type === 'create');
    return this.#inTurn(() => this.#take(inputs, { insist }));
  }

  #inTurn(work: () => Promise<readonly RunEvent[]>): Promise<readonly RunEvent[]> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** Whether what is pending may happen, now or in a moment. */
  get released(): boolean {
    return this.#hearing.over;
  }

  /** A host obeys somebody else, so nothing more begins before it has said what it knows. */
  holdBack(): void {
    this.#hearing.begin();
    this.#released = false;
  }

  /** Every host has said what it knows, or is silent: from here on what is pending happens. Harmless to repeat. */
  release(): void {
    if (this.#hearing.over) return;
    this.#hearing.finish();
    // Not before that is decided on: what hosts have done is not asked for again.
    this.#queue = this.#queue.then(() => {
      this.#released = this.#hearing.over;
      this.#reconcile();
    });
  }

  /**
   * At once when the hosts were heard; else then, in the order of asking, or when somebody else leads, which `submit` says.
   * What a host has done waits for it: it could bring the run to its end while another host still has to say that the log has
   * lost some of it.
   */
  whenHeard(work: () => void): void {
    this.#hearing.when(work);
  }

  /**
   * What NATS has stored may be less than it was. Whether the log is still what this leader has written: if not, somebody else
   * leads the run, or it has lost its end. The plan is stored again where it is gone.
   */
  check(): void {
    this.#queue = this.#queue.then(() => this.#check());
  }

  async #check(): Promise<void> {
    const { bus, log } = this.#options.ports;
    if (this.#stopped || this.#head.index < 0) return;
    try {
      if (await isStored(bus, { state: this.#state, head: this.#head })) await this.#storePlan();
      else this.#lose(this.#notLed());
    } catch (error) {
      // The next entry will find it out.
      log.debug({ run: this.run, err: error }, 'the log cannot be looked at');
    }
  }

  async #storePlan(): Promise<void> {
    await this.#options.ports.bus.putBlob(sha256(this.planText), Buffer.from(this.planText));
  }

  /** Whether the log has ever stood there. */
  hasHead({ sequence, hash }: LogHead): boolean {
    return sequence === 0 || this.#heads.get(sequence) === hash;
  }

  /** Ids of all commands that the log has asked for. */
  asked(): Set<string> {
    const events = this.#entries.flatMap((entry) => entry.events);
    return new Set(
      events.flatMap((event) => (event.type === 'StepStarted' && event.work.kind === 'command' ? [event.work.id] : [])),
    );
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#queue;
  }

  async #take(inputs: readonly Input[], { insist } = { insist: true }): Promise<readonly RunEvent[]> {
    // Nobody may take silence for a yes: what was submitted is not in the log [I8], and a report is not acknowledged.
    if (this.#stopped) throw this.#notLed();
    const { clock, random } = this.#options.ports;
    const now: Now = { atMs: clock.wallMs(), runMs: this.runMs(), random: random() };
    const events: RunEvent[] = [];
    let state = this.#state;
    for (const input of inputs) {
      const more = decide(state, input, now);
      state = evolveEntry(state, { atMs: now.atMs, runMs: now.runMs, events: more });
      events.push(...more);
    }
    if (events.length === 0) {
      this.#lookedAt = now;
      this.#reconcile();
      return events;
    }
    const next = { run: this.run, epoch: state.epoch, atMs: now.atMs, runMs: now.runMs, events };
    passPoint('coordinator.entry.appending');
    const entry = await this.#append(next, { insist });
    // [D4] Votes are good for a short time only: what could not be written at once is decided anew, at its place in the log.
    if (entry === undefined) return await this.#take(inputs, { insist });
    passPoint('coordinator.entry.appended');
    const before = this.#state;
    this.#entries.push(entry);
    // What the log has now is what was decided on the way to `state`.
    this.#state = state;
    this.#lookedAt = now;
    this.#options.onEntry(this, entry, before);
    this.#reconcile();
    return events;
  }

  #reconcile(): void {
    if (this.#stopped) return;
    const { atMs, runMs } = this.#lookedAt;
    const effects = pending({ ...this.#state, atMs, runMs });
    this.effects.reconcile(this.#released ? effects : effects.filter(({ type }) => HARMLESS.has(type)));
  }

  /**
   * Tries until the log has the entry or somebody else's: hold rather than guess. Undefined: it was not answered for, and
   * must not be written any later as it is.
   */
  async #append(next: NewEntry, { insist }: { insist: boolean }): Promise<LogEntry | undefined> {
    const { bus, clock, log } = this.#options.ports;
    let certain = true;
    for (;;) {
      try {
        // A creation that was not answered for: storage may have lost its plan meanwhile, and the run must have one.
        if (!certain && !insist) await this.#storePlan();
        const { entry, head } = await appendEntry(bus, this.#head, next);
        this.#head = head;
        this.#heads.set(head.sequence, head.hash);
        return entry;
      } catch (error) {
        if (this.#stopped) throw this.#notLed();
        if (error instanceof SignalboxError && error.code === 'SB-COORD-DEPOSED') {
          this.#lose(error);
          throw error;
        }
        // Once it is not known whether the log has it, only the log can say: a run that nobody leads would be left there.
        certain &&= error instanceof SignalboxError && error.failure.class === 'retryable';
        if (!insist && certain) throw error;
        log.warn({ run: this.run, err: error }, 'the log cannot be written; trying again');
        await new Promise<void>((resolve) => clock.after(APPEND_RETRY_MS, resolve));
        if (next.events.some(({ type }) => type === 'Crossed')) return undefined;
      }
    }
  }

  #notLed(): SignalboxError {
    return coordinatorError('SB-COORD-DEPOSED', `${this.run} is not led here any more`);
  }

  #lose(error: unknown): void {
    this.#end();
    this.#options.onLost(this, error);
  }

  #end(): void {
    this.#stopped = true;
    this.effects.stop();
    this.#hearing.end();
  }

  get head(): LogHeadPosition {
    return this.#head;
  }

  get heads(): ReadonlyMap<number, string> {
    return this.#heads;
  }

  get ended(): boolean {
    return isEnded(this.#state);
  }
}
