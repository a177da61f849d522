import type { Plan } from '@signalbox/protocol';
import { isEnded } from '@signalbox/sequencer';
import type { Broken } from './broken.ts';
import { Broker } from './broker.ts';
import type { Conditions } from './conditions.ts';
import { drawDay } from './day.ts';
import { Faults } from './faults.ts';
import { Host, type Manner } from './host.ts';
import { keyOf } from './keys.ts';
import { Law } from './law.ts';
import { MachineClock } from './machine.ts';
import { FINE } from './network.ts';
import { People } from './people.ts';
import { type PlannedDay, randomPlan } from './plans.ts';
import { HONEST, type Planted } from './planted.ts';
import { Processes } from './processes.ts';
import { Chance } from './random.ts';
import { Story } from './story.ts';
import { Switchboard } from './switchboard.ts';
import { Timeline } from './timeline.ts';
import type { Nature } from './tools.ts';
import { Truth } from './truth.ts';

const MESH = 'sim';
/** How long people and machines get, once nothing goes wrong any more, until the run has to be somewhere. */
const CALM_MS = 900_000;
const DECIDE_EVERY_MS = 5_000;
const LINGER_MS = 3_000;
const START_AT_MS = 500;
const HOST_NAMES = ['h1', 'h2', 'h3'];

export interface SimulationOptions {
  readonly seed: number;
  /** What is broken on purpose, to see whether it is found. */
  readonly planted?: Planted;
  /** Keep what happened, for a person to read. */
  readonly trace?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly broken: Broken | undefined;
  /** Where the run came to. */
  readonly status: string;
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
  readonly #timeline = new Timeline();
  readonly #broker = new Broker();
  readonly #switchboard = new Switchboard(this.#broker);
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #coordinatorClock = new MachineClock(this.#timeline);
  readonly #law: Law;
  readonly #truth: Truth;
  readonly #people: People;
  readonly #day: PlannedDay;
  readonly #story: Story;
  readonly #conditions: Conditions = { storm: true, weather: FINE };
  readonly #processes: Processes;
  readonly #faults: Faults;
  #endedMs: number | undefined;

  constructor({ seed, planted = HONEST, trace = false }: SimulationOptions) {
    this.#seed = seed;
    this.#story = new Story(this.#timeline, trace);
    this.#chance = new Chance(seed);
    const world = { timeline: this.#timeline, chance: this.#chance };
    const watch = {
      spawned: (...of: Parameters<Law['spawned']>) => this.#law.spawned(...of),
      marked: (...of: Parameters<Law['marked']>) => this.#law.marked(...of),
    };
    this.#hosts = new Map(HOST_NAMES.map((name) => [name, new Host(name, { ...world, watch })]));
    const { plan, moved } = randomPlan(this.#chance);
    this.#day = { plan: pinned(plan), moved };
    this.#truth = new Truth(this.#chance);
    const run = `${plan.runbook.name}-1`;
    this.#law = new Law({
      day: this.#day,
      run,
      hosts: this.#hosts,
      coordinatorClock: this.#coordinatorClock,
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
      say: (who, what) => this.#story.say(who, what),
    });
    this.#processes = new Processes({
      mesh: MESH,
      ...world,
      broker: this.#broker,
      switchboard: this.#switchboard,
      hosts: this.#hosts,
      coordinatorClock: this.#coordinatorClock,
      conditions: this.#conditions,
      planted,
      nature: this.#nature(),
      nextManner: () => this.#manner(),
      acked: (...of) => this.#law.acked(...of),
      story: this.#story,
    });
    this.#faults = new Faults({
      timeline: this.#timeline,
      broker: this.#broker,
      hosts: this.#hosts,
      processes: this.#processes,
      conditions: this.#conditions,
      say: (who, what) => this.#story.say(who, what),
    });
    this.#broker.onStored = (data) => this.#law.stored(data);
    this.#broker.onAppend = (_, data) => {
      const { status } = this.#law.state;
      this.#law.appended(data);
      this.#story.appended(data, status);
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
    const day = drawDay(this.#chance);
    this.#broker.expires = this.#chance.hits(0.5);
    this.#truth.stormMs = START_AT_MS + day.stormMs;
    for (const { atMs, fault } of day.faults) this.#timeline.in(START_AT_MS + atMs, () => this.#faults.strike(fault));
    for (const atMs of day.meddlings)
      this.#timeline.in(START_AT_MS + atMs, () => this.#conditions.storm && this.#people.meddle());
    this.#timeline.in(START_AT_MS + day.stormMs, () => this.#calm());
    const lastMs = START_AT_MS + day.stormMs + CALM_MS;
    this.#manners = day.manners;
    await this.#timeline.pass(() => this.#law.broken !== undefined || this.#isOver() || this.#timeline.nowMs >= lastMs);
    if (!this.#law.broken) this.#law.ended();
    this.#processes.end();
    const { state, broken } = this.#law;
    return {
      seed: this.#seed,
      broken,
      status: state.status,
      simulatedMs: this.#timeline.nowMs,
      entries: this.#broker.logs.get(state.run)?.length ?? 0,
      trace: broken ? [...this.#story.lines, this.#story.line('LAW', broken.message)] : this.#story.lines,
    };
  }

  #manners: ReturnType<typeof drawDay>['manners'] = [];

  /** Nothing goes wrong from here on, and people do what is theirs. */
  #calm(): void {
    this.#faults.calm();
    const decide = () => {
      this.#people.decide();
      this.#timeline.in(DECIDE_EVERY_MS, decide);
    };
    this.#timeline.in(DECIDE_EVERY_MS, decide);
  }

  /** It has ended, and whoever could still do harm had time for it. */
  #isOver(): boolean {
    if (!isEnded(this.#law.state)) return false;
    this.#endedMs ??= this.#timeline.nowMs;
    return this.#timeline.nowMs - this.#endedMs > LINGER_MS;
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
  const hosts = HOST_NAMES.map((name) => ({
    name,
    labels: {},
    journal: `journal-${name}`,
    machine: `machine-${name}`,
    key: keyOf(name).publicKey,
  }));
  return { ...plan, mesh: MESH, hosts };
}
