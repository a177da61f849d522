import type { Plan } from '@signalbox/protocol';
import { isEnded, type RunState } from '@signalbox/sequencer';
import type { Broken } from './broken.ts';
import { Broker } from './broker.ts';
import type { Conditions } from './conditions.ts';
import { CoordinatorMachines } from './coordinator-machines.ts';
import { CALM_DAY, clockFaults, type Day, drawDay, drawSecondThoughts, drawTailLoss, rareFaults } from './day.ts';
import { DeathAtStep, type DeathAtStepOptions } from './death.ts';
import { Faults } from './faults.ts';
import type { Death, Given } from './given.ts';
import { Host, type Manner } from './host.ts';
import { keyOf } from './keys.ts';
import { Law } from './law.ts';
import { FINE } from './network.ts';
import { PEOPLE, People } from './people.ts';
import { drawWindow, type PlannedDay, randomPlan } from './plans.ts';
import { HONEST, type Planted } from './planted.ts';
import { Processes } from './processes.ts';
import { Chance } from './random.ts';
import { catalogueTools } from './runbook/tools.ts';
import { Story } from './story.ts';
import { Switchboard } from './switchboard.ts';
import { Timeline } from './timeline.ts';
import { type Nature, toolbox } from './tools.ts';
import { Truth } from './truth.ts';

const MESH = 'sim';
const RARE_SEED = 0x5bd1e995;
const TAIL_SEED = 0x2c1b3c6d;
const CLOCK_SEED = 0x1b873593;
const THOUGHT_SEED = 0x3c6ef372;
/** How long people and machines get, once nothing goes wrong any more, until the run has to be somewhere. */
const CALM_MS = 900_000;
const DECIDE_EVERY_MS = 5_000;
const LINGER_MS = 3_000;
const START_AT_MS = 500;
/** A held run in which nothing has happened for so long stays as it is, when nobody decides. */
const QUIET_MS = 150_000;

export interface SimulationOptions {
  readonly seed: number;
  /** What is broken on purpose, to see whether it is found. */
  readonly planted?: Planted;
  /** Keep what happened, for a person to read. */
  readonly trace?: boolean;
  /** Somebody's plan instead of a random one. */
  readonly given?: Given;
  /** The one thing that goes wrong on a day that is calm otherwise. */
  readonly death?: Death;
  /** NATS cannot be reached for a while on a day that is calm otherwise. */
  readonly outage?: Outage;
}

/** On the clock of the day, in milliseconds. */
export interface Outage {
  readonly atMs: number;
  readonly ms: number;
}

export interface SimulationResult {
  readonly seed: number;
  readonly broken: Broken | undefined;
  /** Where the run came to. */
  readonly status: string;
  /** The run as its log has it at the end of the day. */
  readonly state: RunState;
  /** Whether the step at which a host was to die was reached. */
  readonly struck: boolean;
  /** The kinds of trouble that there have been. */
  readonly troubles: ReadonlySet<string>;
  readonly simulatedMs: number;
  readonly entries: number;
  readonly trace: readonly string[];
}

/** One day of one mesh, from its seed. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  return await new Simulation(options).pass();
}

class Simulation {
  readonly #seed: number;
  readonly #chance: Chance;
  /** For what few days have. */
  readonly #rare: Chance;
  readonly #timeline = new Timeline();
  readonly #broker = new Broker();
  readonly #switchboard = new Switchboard(this.#broker);
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #machines = new CoordinatorMachines(this.#timeline);
  readonly #law: Law;
  readonly #truth: Truth;
  readonly #people: People;
  readonly #day: PlannedDay;
  readonly #story: Story;
  readonly #conditions: Conditions = { storm: true, weather: FINE };
  readonly #processes: Processes;
  readonly #faults: Faults;
  readonly #given: Given | undefined;
  readonly #death: DeathAtStep | undefined;
  readonly #outage: Outage | undefined;
  #appendedMs = 0;
  #endedMs: number | undefined;

  constructor({ seed, planted = HONEST, trace = false, given, death, outage }: SimulationOptions) {
    this.#seed = seed;
    this.#given = given;
    this.#outage = outage;
    this.#story = new Story(this.#timeline, trace);
    this.#chance = new Chance(seed);
    this.#rare = new Chance(seed ^ RARE_SEED);
    const world = { timeline: this.#timeline, chance: this.#chance };
    const kill = (...of: Parameters<DeathAtStepOptions['kill']>) => this.#kill(...of);
    this.#death = death && new DeathAtStep({ death, ...world, kill });
    const watch = {
      spawned: (...of: Parameters<Law['spawned']>) => this.#law.spawned(...of),
      marked: (...of: Parameters<Law['marked']>) => this.#law.marked(...of),
    };
    const { plan, moved } = given ? { plan: given.plan, moved: [] } : randomPlan(this.#chance);
    const window = given ? {} : drawWindow(this.#rare);
    this.#hosts = new Map(plan.hosts.map(({ name }) => [name, new Host(name, { ...world, watch })]));
    const crowd = given?.crowd ?? PEOPLE;
    this.#day = { plan: { ...pinned(plan), ...window }, moved };
    this.#truth = new Truth(this.#chance);
    const run = `${plan.runbook.name}-1`;
    this.#law = new Law({
      day: this.#day,
      run,
      hosts: this.#hosts,
      machines: this.#machines,
      nowMs: () => this.#timeline.nowMs,
      truthAt: (host, what, atMs) => this.#truth.at(host, what, atMs),
    });
    this.#people = new People({
      mesh: MESH,
      run,
      ...world,
      switchboard: this.#switchboard,
      law: this.#law,
      hosts: this.#hosts,
      planText: JSON.stringify(this.#day.plan),
      crowd,
      onlyAnswer: death !== undefined,
      say: (who, what) => this.#story.say(who, what),
    });
    this.#processes = new Processes({
      mesh: MESH,
      ...world,
      broker: this.#broker,
      switchboard: this.#switchboard,
      hosts: this.#hosts,
      machines: this.#machines,
      conditions: this.#conditions,
      planted,
      toolbox: (host) =>
        given ? catalogueTools(host, this.#nature(), given.catalogue) : toolbox(host, this.#nature()),
      crowd,
      nextManner: () => this.#manner(),
      acked: (...of) => this.#law.acked(...of),
      story: this.#story,
    });
    this.#faults = new Faults({
      timeline: this.#timeline,
      broker: this.#broker,
      hosts: this.#hosts,
      processes: this.#processes,
      machines: this.#machines,
      conditions: this.#conditions,
      reinstalled: (host) => this.#law.reinstalled(host),
      putBack: () => {
        this.#law.putBack(this.#broker.logs.get(run) ?? []);
        this.#endedMs = undefined;
      },
      say: (who, what) => this.#story.say(who, what),
    });
    this.#broker.onStored = (data) => this.#law.stored(data);
    this.#broker.onAppend = (_, data) => {
      const { status } = this.#law.state;
      this.#law.appended(data);
      this.#story.appended(data, status);
      this.#appendedMs = this.#timeline.nowMs;
      this.#death?.appended(data);
    };
    for (const [name, host] of this.#hosts) {
      host.disk.onDurable = (line) => this.#law.durable(name, line);
      host.disk.onWritten = (line) => this.#law.written(name, line);
    }
  }

  async pass(): Promise<SimulationResult> {
    this.#processes.addCoordinator();
    if (this.#chance.hits(0.3)) this.#timeline.in(50, () => this.#processes.addCoordinator());
    this.#timeline.in(100, () => {
      for (const host of this.#hosts.values()) this.#processes.startAgent(host);
    });
    this.#timeline.in(START_AT_MS, () => this.#people.start());
    const day = this.#death || this.#outage ? CALM_DAY : drawDay(this.#chance, [...this.#hosts.keys()]);
    this.#broker.expires = this.#chance.hits(0.5);
    this.#truth.stormMs = START_AT_MS + day.stormMs;
    const hosts = [...this.#hosts.keys()];
    // Somebody's own runbook is shown what its nights bring, not what becomes of a host that is no more.
    const rare = this.#given ? day.faults : rareFaults(this.#rare, day, hosts);
    const faults = [...rare, ...clockFaults(new Chance(this.#seed ^ CLOCK_SEED), day)];
    for (const { atMs, fault } of faults) this.#timeline.in(START_AT_MS + atMs, () => this.#faults.strike(fault));
    const { atMs, ms } = this.#outage ?? {};
    if (atMs !== undefined && ms !== undefined) this.#timeline.in(atMs, () => this.#faults.stopNats(ms));
    const tailLoss = this.#given ? undefined : drawTailLoss(new Chance(this.#seed ^ TAIL_SEED), day);
    if (tailLoss) {
      const beginsMs = Math.max(0, START_AT_MS + tailLoss.atMs - tailLoss.lostMs);
      this.#timeline.in(beginsMs, () => this.#faults.loseTail(tailLoss));
    }
    const thoughts = new Chance(this.#seed ^ THOUGHT_SEED);
    for (const atMs of drawSecondThoughts(thoughts, day))
      this.#timeline.in(START_AT_MS + atMs, () => this.#conditions.storm && this.#people.reconsider(thoughts));
    for (const atMs of day.meddlings)
      this.#timeline.in(START_AT_MS + atMs, () => this.#conditions.storm && this.#people.meddle());
    this.#timeline.in(START_AT_MS + day.stormMs, () => this.#calm());
    const lastMs = START_AT_MS + day.stormMs + CALM_MS + (this.#given?.moreMs ?? 0);
    this.#manners = day.manners;
    await this.#timeline.pass(() => this.#law.broken !== undefined || this.#isOver() || this.#timeline.nowMs >= lastMs);
    if (!this.#law.broken) this.#law.ended();
    this.#processes.end();
    const { state, broken } = this.#law;
    return {
      seed: this.#seed,
      broken,
      status: state.status,
      state,
      struck: this.#death?.struck ?? false,
      troubles: this.#faults.struck,
      simulatedMs: this.#timeline.nowMs,
      entries: this.#broker.logs.get(state.run)?.length ?? 0,
      trace: broken ? [...this.#story.lines, this.#story.line('LAW', broken.message)] : this.#story.lines,
    };
  }

  #manners: Day['manners'] = [];

  /** Nothing goes wrong from here on, and people do what is theirs. */
  #calm(): void {
    this.#faults.calm();
    const decide = () => {
      // While nobody can be reached, nobody gives up.
      if (this.#broker.up) this.#people.decide();
      this.#timeline.in(DECIDE_EVERY_MS, decide);
    };
    this.#timeline.in(DECIDE_EVERY_MS, decide);
  }

  /** It has ended, and whoever could still do harm had time for it. */
  #isOver(): boolean {
    const { state } = this.#law;
    if (this.#death && state.status === 'held' && this.#timeline.nowMs - this.#appendedMs > QUIET_MS) return true;
    if (state.status === 'planned' && this.#people.gaveUp) return true;
    if (!isEnded(state)) return false;
    this.#endedMs ??= this.#timeline.nowMs;
    return this.#timeline.nowMs - this.#endedMs > LINGER_MS;
  }

  #kill(name: string | null, downMs: number): void {
    this.#story.say('DAY', () => `${name ?? 'the coordinator'} dies`);
    const host = name === null ? undefined : this.#hosts.get(name);
    if (host) this.#faults.killHost(host, downMs);
    else this.#processes.coordinators[0]?.life.end();
  }

  // What hosts are like.

  #nature(): Nature {
    return {
      truth: (host: Host, what: string) => this.#truth.at(host.name, what, this.#timeline.nowMs),
      isActive: (host: Host, resource: string) => {
        const moved = this.#day.moved.find((one) => one.resource === resource);
        return moved !== undefined && this.#law.isActive(host.name, moved);
      },
      probeBreaks: () => this.#conditions.storm && this.#chance.hits(0.05),
    };
  }

  #manner(): { manner: Manner; ms: number } {
    const ms = this.#chance.between(100, 3_000);
    const bad = this.#conditions.storm && this.#chance.hits(0.15) ? this.#chance.oneOf(this.#manners) : undefined;
    return { manner: bad ?? 'does it', ms };
  }
}

function pinned(plan: Plan): Plan {
  const hosts = plan.hosts.map(({ name, labels }) => ({
    name,
    labels,
    journal: `journal-${name}`,
    machine: `machine-${name}`,
    key: keyOf(name).publicKey,
  }));
  return { ...plan, mesh: MESH, hosts };
}
