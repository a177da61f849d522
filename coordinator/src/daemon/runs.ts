import { type ControlReport, type LogEntry, SignalboxError } from '@signalbox/protocol';
import { passPoint } from '@signalbox/protocol/points';
import { type Input, isEnded, type RunState } from '@signalbox/sequencer';
import { Archive, type RunSummary, summaryOf } from './archive.ts';
import { Beginnings, type Begun, type Created } from './beginnings.ts';
import { Claims } from './claims.ts';
import { coordinatorError } from './codes.ts';
import { Fencing } from './fencing.ts';
import type { Hosts } from './hosts.ts';
import { Listening } from './listening.ts';
import type { Members } from './members.ts';
import { Orphans } from './orphans.ts';
import type { Ports } from './ports.ts';
import type { HostQueries } from './queries.ts';
import type { LoadedRun } from './run-log.ts';
import { Runner } from './runner.ts';
import { dealOut } from './sharing.ts';

export interface RunsOptions {
  readonly ports: Ports;
  readonly queries: HostQueries;
  readonly hosts: Hosts;
  readonly members: Members;
  /** Called when a runner begins, before its first decision: whoever watches runs hooks in here. */
  readonly onRunner: (runner: Runner) => void;
  readonly onEntry: (runner: Runner, entry: LogEntry, before: RunState) => void;
}

/** All runs of the mesh: leads its share of those that are open, reads back the others. */
export class Runs {
  readonly #options: RunsOptions;
  readonly #led = new Map<string, Runner>();
  readonly #listening = new Map<string, Listening>();
  readonly #fencing = new Map<string, Fencing>();
  readonly #archive: Archive;
  readonly #orphans: Orphans;
  readonly #claims: Claims;
  readonly #beginnings: Beginnings;
  #sharing: Promise<void> | undefined;
  /** What was known when the runs were last looked through, and when that was. */
  #shared = { members: '', atMs: Number.NEGATIVE_INFINITY };
  #stopped = false;

  constructor(options: RunsOptions) {
    this.#options = options;
    const { ports, hosts, members } = options;
    this.#archive = new Archive(ports);
    this.#orphans = new Orphans({ ports, members, archive: this.#archive, isLedHere: (run) => this.#led.has(run) });
    const load = (run: string) => this.load(run);
    this.#claims = new Claims(ports, load);
    this.#beginnings = new Beginnings({
      ports,
      claims: this.#claims,
      load,
      lead: (loaded, create) => this.#leadNew(loaded, create),
    });
    ports.bus.onConnection((connected) => {
      if (connected) for (const runner of this.#led.values()) runner.check();
    });
    members.onLook = () => void this.share();
    members.onLost = () => this.#leaveAll();
    hosts.onChange((host, state) => {
      for (const runner of this.#led.values()) {
        if (!runner.state.plan.hosts.some((h) => h.name === host)) continue;
        if (state === 'silent') this.#fencing.get(runner.run)?.look();
        if (state === 'silent' && !runner.state.silent.has(host)) {
          const lastSeenAtMs = hosts.get(host)?.seenAtMs;
          this.#submit(runner, { type: 'silent', host, lastSeenAtMs });
        } else if (state === 'online' && runner.state.silent.has(host)) this.#submit(runner, { type: 'back', host });
      }
    });
  }

  get leading(): string[] {
    return [...this.#led.keys()];
  }

  /** Runs that are open, and that no coordinator is known to lead. */
  get orphans(): string[] {
    return this.#orphans.ids;
  }

  /** Runs that are open and cannot be led here, and why: shown by `doctor`. */
  get notLed(): ReadonlyMap<string, string> {
    return this.#orphans.unreadable;
  }

  runners(): readonly Runner[] {
    return [...this.#led.values()];
  }

  /** @throws SB-COORD-NO-RUN, SB-COORD-NOT-LED. */
  async led(run: string): Promise<Runner> {
    // It may be about to be taken up: whoever asks now is answered when it is.
    if (!this.#led.has(run) && this.#options.members.holds(run)) await this.#sharing;
    const runner = this.#led.get(run);
    if (runner) return runner;
    const { state } = await this.load(run);
    if (isEnded(state)) throw coordinatorError('SB-COORD-NOT-LED', `${run} is not led any more: it is ${state.status}`);
    const leader = this.#options.members.leaderOf(run)?.name;
    const why = leader ? `${leader} leads it, or is about to` : this.notLed.get(run);
    throw coordinatorError('SB-COORD-NOT-LED', `${run} is not led here: ${why ?? 'nobody has taken it over yet'}`);
  }

  /** A run as the log has it, led or not. */
  async load(run: string): Promise<LoadedRun> {
    const runner = this.#led.get(run);
    if (runner) return loadedOf(runner);
    return await this.#archive.load(run);
  }

  async summaries(): Promise<RunSummary[]> {
    const ids = await this.#options.ports.bus.listRuns();
    const summaries = await Promise.all(ids.map((id) => summaryOf(id, (run) => this.load(run))));
    return summaries.sort((a, b) => a.createdAtMs - b.createdAtMs);
  }

  /** Runs that have not ended and whose plan names a host with this key. */
  async plannedWith(key: string): Promise<string[]> {
    const open = (await this.summaries()).filter(({ endedAtMs }) => endedAtMs === undefined);
    const loaded = await Promise.all(open.map(({ run }) => this.load(run)));
    return loaded.flatMap(({ state }) => (state.plan.hosts.some((host) => host.key === key) ? [state.run] : []));
  }

  /**
   * Takes up this coordinator's share of the runs that nobody leads. Looked through whenever somebody has come or gone,
   * and now and then: a run may have been left by a leader that lives. A run that cannot be read is left alone and named
   * [D5]; so that it does not stay with whoever cannot lead it, the others take it after a while out of turn.
   */
  share(): Promise<void> {
    const { members, ports } = this.#options;
    const nowMs = ports.clock.monotonicMs();
    const present = members.live().map(({ id }) => id);
    const known = this.#shared.members === present.join() && nowMs - this.#shared.atMs < members.leaseMs;
    if (known || this.#stopped) return Promise.resolve();
    this.#sharing ??= this.#share()
      .then(() => {
        this.#shared = { members: present.join(), atMs: nowMs };
      })
      .catch((error: unknown) => {
        if (!(error instanceof SignalboxError)) throw error;
        ports.log.warn({ code: error.code }, `runs are not looked through: ${error.message}`);
      })
      .finally(() => {
        this.#sharing = undefined;
      });
    return this.#sharing;
  }

  async #share(): Promise<void> {
    const { members } = this.#options;
    const open = await this.#orphans.find();
    const dealt = dealOut([...open.keys()], members.live()).get(members.id) ?? [];
    const mine = [...open.keys()].filter((run) => dealt.includes(run) || this.#orphans.isOverdue(run));
    if (mine.length === 0) return;
    await members.claim(mine);
    for (const run of mine) {
      const loaded = open.get(run);
      if (loaded) await this.#takeUp(loaded);
      if (!this.#led.has(run)) members.release(run);
    }
  }

  async #takeUp(loaded: LoadedRun): Promise<void> {
    const { run } = loaded.state;
    const { members, ports } = this.#options;
    // While one run after the other is taken up, this coordinator may have lost its lease, or been stopped.
    if (this.#stopped || this.#led.has(run) || members.leaderOf(run)) return;
    try {
      await this.#lead(loaded);
      this.#orphans.remove(run);
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      ports.log.warn({ run, code: error.code }, `not taken up: ${error.message}`);
    }
  }

  /** Starts a run of a plan whose exact text is given. The same start, asked for again, gives the same run. */
  async create(planText: string, created: Created): Promise<Begun> {
    return await this.#beginnings.begin(planText, created);
  }

  /** The run that a start has led to before. */
  async begun(start: string, planText: string): Promise<Begun | undefined> {
    return await this.#beginnings.begun(start, planText);
  }

  async #leadNew(loaded: LoadedRun, create: Input): Promise<void> {
    const { run } = loaded.state;
    const { members } = this.#options;
    await members.claim([run]);
    try {
      await this.#lead(loaded, create);
    } catch (error) {
      members.release(run);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#listening.values()].map((listening) => listening.stop()));
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
      this.#leave(runner);
      throw error;
    }
    passPoint('coordinator.run.led');
    const onControl = async (report: ControlReport) => await this.#fencing.get(run)?.answered(report);
    const listening = new Listening({ ports, runner, onControl });
    this.#listening.set(run, listening);
    // Listening comes first: what a host answers to a fence must not reach the leader before this one alone.
    listening
      .begin()
      .then(() => this.#fence(runner))
      .catch((error: unknown) => ports.log.error({ run, err: error }, 'reports'));
    for (const { name } of runner.state.plan.hosts) {
      if (this.#options.hosts.stateOf(name) === 'silent')
        this.#submit(runner, { type: 'silent', host: name, lastSeenAtMs: undefined });
    }
    return runner;
  }

  /**
   * What is pending waits until the hosts have said what they know [D3]. Those of a new run are asked as well, though nothing
   * waits for it: storage that was put back may have lost all of an earlier run of that name.
   */
  #fence(runner: Runner): void {
    const { ports, queries, hosts } = this.#options;
    if (this.#led.get(runner.run) !== runner) return;
    const fencing = new Fencing({ ports, queries, hosts, runner });
    this.#fencing.set(runner.run, fencing);
    fencing.begin();
  }

  #onEntry(runner: Runner, entry: LogEntry, before: RunState): void {
    this.#options.onEntry(runner, entry, before);
    if (isEnded(runner.state)) this.#retire(runner);
  }

  /** An ended run is read from the log like any other old one; its last controls still go out. */
  #retire(runner: Runner): void {
    this.#leave(runner);
    this.#archive.keep(loadedOf(runner));
    const { log } = this.#options.ports;
    this.#claims.release(runner.state).catch((error: unknown) => {
      log.warn({ run: runner.run, err: error }, 'claims are left to whoever wants the same next');
    });
  }

  /** Reports that come from here on are left for whoever leads the run next. */
  #leave(runner: Runner): void {
    const { run } = runner;
    if (this.#led.get(run) !== runner) return;
    this.#led.delete(run);
    this.#fencing.get(run)?.stop();
    this.#fencing.delete(run);
    this.#options.members.release(run);
    const listening = this.#listening.get(run);
    this.#listening.delete(run);
    listening?.stop().catch((error: unknown) => this.#options.ports.log.warn({ run, err: error }, 'reports'));
  }

  /** Somebody else has written into its log. Whoever that was leads it, or it is an orphan at the next look. */
  #onLost(runner: Runner, error: unknown): void {
    this.#leave(runner);
    this.#shared = { ...this.#shared, members: '' };
    this.#options.ports.log.warn({ run: runner.run, err: error }, 'this run is not led here any more');
  }

  /** This coordinator was taken to be gone. It may lead again whatever falls to it, under a new epoch. */
  #leaveAll(): void {
    for (const runner of this.runners()) {
      this.#leave(runner);
      runner.stop().catch((error: unknown) => this.#options.ports.log.warn({ run: runner.run, err: error }, 'leaving'));
    }
    this.#shared = { ...this.#shared, members: '' };
  }

  #submit(runner: Runner, input: Input): void {
    runner
      .submit(input)
      .catch((error: unknown) => this.#options.ports.log.warn({ run: runner.run, err: error }, input.type));
  }
}

function loadedOf({ state, head, entries, planText, heads }: Runner): LoadedRun {
  return { state, head, entries, planText, heads };
}
