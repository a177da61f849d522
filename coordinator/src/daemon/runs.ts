import type { IncomingReport, Unsubscribe } from '@signalbox/bus';
import type { LogEntry } from '@signalbox/protocol';
import { SignalboxError } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { passPoint } from '@signalbox/protocol/points';
import { type Input, initialState, isEnded, type RunState } from '@signalbox/sequencer';
import { coordinatorError } from './codes.ts';
import type { Hosts } from './hosts.ts';
import type { Ports } from './ports.ts';
import type { HostQueries } from './queries.ts';
import { readReport } from './reports.ts';
import { EMPTY_HEAD, type LoadedRun, loadRun, parsePlan } from './run-log.ts';
import { Runner } from './runner.ts';

export interface RunSummary {
  readonly run: string;
  readonly runbook: string;
  readonly status: string;
  readonly createdAtMs: number;
  readonly endedAtMs?: number;
  readonly by: string;
}

export interface RunsOptions {
  readonly ports: Ports;
  readonly queries: HostQueries;
  readonly hosts: Hosts;
  /** Called when a runner begins, before its first decision: whoever watches runs hooks in here. */
  readonly onRunner: (runner: Runner) => void;
  readonly onEntry: (runner: Runner, entry: LogEntry, before: RunState) => void;
}

/** How long to wait before a run that the bus could not give is asked for again. */
const TAKE_UP_RETRY_MS = 2_000;

/** All runs of the mesh: leads those that are open, reads back those that are over. */
export class Runs {
  readonly #options: RunsOptions;
  readonly #led = new Map<string, Runner>();
  readonly #subscriptions = new Map<string, Unsubscribe>();
  readonly #ended = new Map<string, LoadedRun>();
  #creating: Promise<unknown> = Promise.resolve();
  /** Runs that are open and cannot be led, and why: shown by `doctor`. */
  readonly notLed = new Map<string, string>();
  #stopped = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    options.hosts.onChange((host, state) => {
      for (const runner of this.#led.values()) {
        if (!runner.state.plan.hosts.some((h) => h.name === host)) continue;
        if (state === 'silent' && !runner.state.silent.has(host)) {
          const lastSeenAtMs = options.hosts.get(host)?.seenAtMs;
          this.#submit(runner, { type: 'silent', host, lastSeenAtMs });
        } else if (state === 'online' && runner.state.silent.has(host)) this.#submit(runner, { type: 'back', host });
      }
    });
  }

  get leading(): string[] {
    return [...this.#led.keys()];
  }

  runners(): readonly Runner[] {
    return [...this.#led.values()];
  }

  /** @throws SB-COORD-NO-RUN, SB-COORD-NOT-LED. */
  async led(run: string): Promise<Runner> {
    const runner = this.#led.get(run);
    if (runner) return runner;
    await this.load(run);
    throw coordinatorError('SB-COORD-NOT-LED', `${run} is not led here: ${this.notLed.get(run) ?? 'it has ended'}`);
  }

  /** A run as the log has it, led or not. */
  async load(run: string): Promise<LoadedRun> {
    const runner = this.#led.get(run);
    if (runner) return { state: runner.state, head: EMPTY_HEAD, entries: runner.entries, planText: runner.planText };
    const known = this.#ended.get(run);
    if (known) return known;
    const loaded = await loadRun(this.#options.ports.bus, run);
    if (loaded.state.closed) this.#ended.set(run, loaded);
    return loaded;
  }

  async summaries(): Promise<RunSummary[]> {
    const ids = await this.#options.ports.bus.listRuns();
    const summaries = await Promise.all(ids.map((id) => this.#summary(id)));
    return summaries.flat().sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  async #summary(run: string): Promise<RunSummary[]> {
    try {
      const { state } = await this.load(run);
      const { createdAtMs, endedAtMs, status, submitter, plan } = state;
      return [
        {
          run,
          runbook: plan.runbook.name,
          status,
          createdAtMs,
          ...(endedAtMs === undefined ? {} : { endedAtMs }),
          by: submitter.name,
        },
      ];
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      return [{ run, runbook: '?', status: `unreadable: ${error.code}`, createdAtMs: 0, by: '?' }];
    }
  }

  /** Takes up every run that is open in the log. A run that cannot be read is left alone and named [D5]. */
  async recover(): Promise<void> {
    for (const run of await this.#options.ports.bus.listRuns()) await this.#takeUp(run);
  }

  /** What only the bus is to blame for is tried again until the bus can say. */
  async #takeUp(run: string): Promise<void> {
    const { bus, clock, log } = this.#options.ports;
    if (this.#stopped) return;
    try {
      const loaded = await loadRun(bus, run);
      if (loaded.state.closed) this.#ended.set(run, loaded);
      else await this.#lead(loaded);
      this.notLed.delete(run);
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      this.notLed.set(run, error.message);
      log.error({ run, code: error.code }, error.message);
      if (error.failure.class === 'terminal') return;
      clock.after(TAKE_UP_RETRY_MS, () => {
        this.#takeUp(run).catch((failed: unknown) => log.error({ run, err: failed }, 'taking up'));
      });
    }
  }

  /** Starts a run of a plan whose exact text is given; the first free number of the runbook makes its id. */
  create(planText: string, created: Omit<Extract<Input, { type: 'create' }>, 'type' | 'planHash'>): Promise<Runner> {
    // One after the other: two that look for a free number at once would find the same.
    const turn = this.#creating.then(() => this.#create(planText, created));
    this.#creating = turn.catch(() => {});
    return turn;
  }

  async #create(
    planText: string,
    created: Omit<Extract<Input, { type: 'create' }>, 'type' | 'planHash'>,
  ): Promise<Runner> {
    const { bus } = this.#options.ports;
    const plan = parsePlan(planText);
    const planHash = sha256(planText);
    await bus.putBlob(planHash, Buffer.from(planText));
    passPoint('coordinator.plan.stored');
    const taken = new Set(await bus.listRuns());
    let number = 1;
    while (taken.has(`${plan.runbook.name}-${number}`)) number += 1;
    const run = `${plan.runbook.name}-${number}`;
    const loaded: LoadedRun = { state: initialState(run, plan), head: EMPTY_HEAD, entries: [], planText };
    return await this.#lead(loaded, { type: 'create', planHash, ...created });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#subscriptions.values()].map((unsubscribe) => unsubscribe()));
    await Promise.all(this.runners().map((runner) => runner.stop()));
    this.#led.clear();
  }

  async #lead(loaded: LoadedRun, create?: Input): Promise<Runner> {
    const { ports, queries, onRunner } = this.#options;
    const { run } = loaded.state;
    const runner = new Runner({
      ports,
      queries,
      loaded,
      onEntry: (r, entry, before) => this.#onEntry(r, entry, before),
      onLost: (r, error) => this.#onLost(r, error),
    });
    this.#led.set(run, runner);
    onRunner(runner);
    try {
      const lead: Input = {
        type: 'lead',
        coordinator: ports.name,
        epoch: loaded.state.epoch + 1,
        nonce: ports.newId(),
      };
      await runner.begin(create ? [create, lead] : [lead]);
    } catch (error) {
      this.#led.delete(run);
      throw error;
    }
    passPoint('coordinator.run.led');
    if (!create) runner.effects.commands.fence();
    this.#listen(runner).catch((error: unknown) => ports.log.error({ run, err: error }, 'reports'));
    for (const { name } of runner.state.plan.hosts) {
      if (this.#options.hosts.stateOf(name) === 'silent')
        this.#submit(runner, { type: 'silent', host: name, lastSeenAtMs: undefined });
    }
    return runner;
  }

  /** A run that is led and hears no reports would wait for ever: the bus is asked until it gives them. */
  async #listen(runner: Runner): Promise<void> {
    const { bus, clock, log } = this.#options.ports;
    const { run } = runner;
    const isLed = () => this.#led.get(run) === runner;
    while (isLed()) {
      try {
        const unsubscribe = await bus.reports(run, (report) => this.#onReport(runner, report));
        if (isLed()) this.#subscriptions.set(run, unsubscribe);
        else await unsubscribe();
        return;
      } catch (error) {
        if (!(error instanceof SignalboxError)) throw error;
        log.warn({ run, code: error.code }, `no reports yet: ${error.message}`);
        await new Promise<void>((resolve) => clock.after(TAKE_UP_RETRY_MS, resolve));
      }
    }
  }

  async #onReport(runner: Runner, report: IncomingReport): Promise<void> {
    const { log } = this.#options.ports;
    passPoint('coordinator.report.received');
    try {
      const input = readReport(runner.state, report);
      // Acknowledged only after the append: a report that came while the log could not be written comes again [I8].
      if (input) await runner.submit(input);
      passPoint('coordinator.report.decided');
      report.ack();
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      log.warn({ run: runner.run, host: report.host, code: error.code }, error.message);
      if (error.code !== 'SB-COORD-DEPOSED') report.ack();
    }
  }

  #onEntry(runner: Runner, entry: LogEntry, before: RunState): void {
    this.#options.onEntry(runner, entry, before);
    if (isEnded(runner.state)) this.#retire(runner);
  }

  /** An ended run is read from the log like any other old one; its last controls still go out. */
  #retire(runner: Runner): void {
    const { run } = runner;
    this.#leave(runner);
    const loaded = { state: runner.state, head: EMPTY_HEAD, entries: runner.entries, planText: runner.planText };
    this.#ended.set(run, loaded);
  }

  /** Reports that come from here on are left for whoever leads the run next. */
  #leave({ run }: Runner): void {
    this.#led.delete(run);
    const unsubscribe = this.#subscriptions.get(run);
    this.#subscriptions.delete(run);
    unsubscribe?.().catch((error: unknown) => this.#options.ports.log.warn({ run, err: error }, 'reports'));
  }

  #onLost(runner: Runner, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    this.#leave(runner);
    this.notLed.set(runner.run, message);
    this.#options.ports.log.error({ run: runner.run, err: error }, 'this run is not led here any more');
  }

  #submit(runner: Runner, input: Input): void {
    runner
      .submit(input)
      .catch((error: unknown) => this.#options.ports.log.warn({ run: runner.run, err: error }, input.type));
  }
}
