import { createAgent, createSecretValues, openJournal } from '@signalbox/agent';
import { HostQueries, Hosts, type Ports, Runs, serveRequests } from '@signalbox/coordinator';
import type { Plan } from '@signalbox/protocol';
import { isEnded } from '@signalbox/sequencer';
import { pino } from 'pino';
import { agentBus } from './agent-bus.ts';
import { Broker } from './broker.ts';
import { coordinatorBus } from './coordinator-bus.ts';
import { drawDay, type Fault } from './day.ts';
import { Host, type Manner } from './host.ts';
import { keyOf } from './keys.ts';
import { type Broken, Law } from './law.ts';
import { Life } from './life.ts';
import { clockOf, MachineClock } from './machine.ts';
import { FINE, Link, type Weather } from './network.ts';
import { PEOPLE, People } from './people.ts';
import { type PlannedDay, randomPlan } from './plans.ts';
import { HONEST, type Planted } from './planted.ts';
import { Chance } from './random.ts';
import { Switchboard } from './switchboard.ts';
import { Timeline } from './timeline.ts';
import { toolbox } from './tools.ts';
import { Truth } from './truth.ts';
import { workbench } from './workbench.ts';

const MESH = 'sim';
/** How long people and machines get, once nothing goes wrong any more, until the run has to be somewhere. */
const CALM_MS = 900_000;
const DECIDE_EVERY_MS = 5_000;
const LINGER_MS = 3_000;
const START_AT_MS = 500;
const SILENT_LOG = pino({ level: 'silent' });
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

interface Running {
  readonly life: Life;
  readonly link: Link;
}

class Simulation {
  readonly #seed: number;
  readonly #planted: Planted;
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
  readonly #trace: string[] | undefined;
  readonly #agents = new Map<string, Running>();
  #coordinators: Running[] = [];
  #weather: Weather = FINE;
  #storm = true;
  readonly #secrets = createSecretValues();
  #lives = 0;
  /** Hosts whose disk has been full. */
  readonly #filled = new Set<string>();
  #endedMs: number | undefined;

  constructor({ seed, planted = HONEST, trace = false }: SimulationOptions) {
    this.#seed = seed;
    this.#planted = planted;
    this.#trace = trace ? [] : undefined;
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
      restartCoordinator: () => this.#coordinators[0]?.life.end(),
      say: (who, what) => this.#say(who, what),
    });
    this.#broker.onStored = (data) => this.#law.stored(data);
    this.#broker.onAppend = (_, data) => this.#appended(data);
    for (const [name, host] of this.#hosts) {
      host.disk.onDurable = (line) => this.#law.durable(name, line);
    }
  }

  async pass(): Promise<SimulationResult> {
    this.#startCoordinator();
    this.#timeline.in(100, () => {
      for (const host of this.#hosts.values()) this.#startAgent(host);
    });
    this.#timeline.in(START_AT_MS, () => this.#people.start());
    const day = drawDay(this.#chance);
    this.#broker.expires = this.#chance.hits(0.5);
    this.#truth.stormMs = START_AT_MS + day.stormMs;
    for (const { atMs, fault } of day.faults)
      this.#timeline.in(START_AT_MS + atMs, () => this.#storm && this.#strike(fault));
    for (const atMs of day.meddlings) this.#timeline.in(START_AT_MS + atMs, () => this.#storm && this.#people.meddle());
    this.#timeline.in(START_AT_MS + day.stormMs, () => this.#calm());
    const lastMs = START_AT_MS + day.stormMs + CALM_MS;
    this.#manners = day.manners;
    while (!this.#law.broken && !this.#isOver() && this.#timeline.nowMs < lastMs) {
      if (!(await this.#timeline.step())) break;
    }
    if (!this.#law.broken) this.#law.ended();
    for (const { life } of [...this.#agents.values(), ...this.#coordinators]) life.end();
    const { state, broken } = this.#law;
    return {
      seed: this.#seed,
      broken,
      status: state.status,
      simulatedMs: this.#timeline.nowMs,
      entries: this.#broker.logs.get(state.run)?.length ?? 0,
      trace: broken ? [...(this.#trace ?? []), this.#line('LAW', broken.message)] : (this.#trace ?? []),
    };
  }

  #manners: ReturnType<typeof drawDay>['manners'] = [];

  /** It has ended, and whoever could still do harm had time for it. */
  #isOver(): boolean {
    if (!isEnded(this.#law.state)) return false;
    this.#endedMs ??= this.#timeline.nowMs;
    return this.#timeline.nowMs - this.#endedMs > LINGER_MS;
  }

  // The processes.

  #startAgent(host: Host): void {
    const life = this.#newLife(`agent ${host.name}`);
    const link = this.#linkOf(life);
    this.#agents.set(host.name, { life, link });
    const clock = clockOf(life, host.clock);
    const chance = this.#chance;
    const planted = this.#planted;
    const journal = openJournal(planted.storage(host.disk.storage(life), host), {
      identity: identityOf(host, life.name),
      newId: () => `journal-${host.name}`,
      nowMs: clock.nowMs,
    });
    const bus = agentBus(host.name, link, {
      switchboard: this.#switchboard,
      acked: (lane, id) => this.#law.acked(host.name, lane, id),
    });
    const agent = createAgent(
      {
        bus: planted.agentBus(bus, host),
        journal,
        clock,
        random: { uuid: () => this.#newId(), fraction: () => chance.fraction() },
        workbench: planted.workbench(
          workbench({ host, life, next: () => this.#manner(), secrets: this.#secrets }),
          host,
        ),
        reader: { facts: async () => ({}), load: () => ({ agentRssBytes: 1 }) },
        toolbox: planted.toolbox(toolbox(host, this.#nature()), host),
        signer: keyOf(host.name),
        log: (level, message, fields) => {
          if (level !== 'debug') this.#say(life.name, () => `${message} ${textOf(fields)}`);
        },
      },
      {
        identity: identityOf(host, life.name),
        coordinators: [keyOf('coordinator').publicKey],
        concurrency: 2,
        maxSkewMs: 30_000,
        stopTimeoutMs: 1_000,
        onDuplicate: () => life.end(),
      },
    );
    life.onEnd(() => this.#restartAgent(host));
    agent.start().catch((error: unknown) => this.#crash(life, String(error)));
  }

  /** systemd starts it again, when its host is up. */
  #restartAgent(host: Host): void {
    const boot = host.boot;
    this.#timeline.in(this.#chance.between(200, this.#storm ? 8_000 : 1_000), () => {
      if (host.boot === boot && !this.#agents.get(host.name)?.life.alive) this.#startAgent(host);
    });
  }

  #startCoordinator(): void {
    const life = this.#newLife('coordinator');
    const link = this.#linkOf(life);
    this.#coordinators.push({ life, link });
    life.onEnd(() => {
      this.#coordinators = this.#coordinators.filter((other) => other.life !== life);
      const restartMs = this.#chance.between(200, this.#storm ? 8_000 : 1_000);
      this.#timeline.in(restartMs, () => this.#coordinators.length === 0 && this.#startCoordinator());
    });
    const ports: Ports = {
      mesh: MESH,
      name: 'coordinator-1',
      bus: this.#planted.coordinatorBus(coordinatorBus(link, this.#switchboard)),
      signer: keyOf('coordinator'),
      clock: clockOf(life, this.#coordinatorClock),
      random: () => this.#chance.fraction(),
      newId: () => this.#newId(),
      log: this.#trace ? this.#logOf(life.name) : SILENT_LOG,
    };
    this.#coordinate(ports).catch((error: unknown) => this.#crash(life, String(error)));
  }

  /** What `runCoordinator` wires, without what only looks on: metrics, status events, pages. */
  async #coordinate(ports: Ports): Promise<void> {
    const enrolled = HOST_NAMES.map((name) => [name, { key: keyOf(name).publicKey, labels: {} }]);
    const operators = Object.entries(PEOPLE).map(([name, role]) => [name, { key: keyOf(name).publicKey, role }]);
    const hosts = new Hosts(ports, Object.fromEntries(enrolled));
    const queries = new HostQueries(ports, (host) => hosts.keyOf(host));
    const runs = new Runs({ ports, queries, hosts, onRunner: () => {}, onEntry: () => {} });
    await hosts.start();
    await serveRequests(
      { ports, hosts, runs, queries, version: '0' },
      { mesh: MESH, operators: Object.fromEntries(operators) },
    );
    await runs.recover();
  }

  #newLife(name: string): Life {
    this.#lives += 1;
    const life = new Life(`${name} #${this.#lives}`, this.#timeline);
    this.#say(life.name, () => 'starts');
    life.onEnd(() => this.#say(life.name, () => 'is dead'));
    return life;
  }

  #linkOf(life: Life): Link {
    const link = new Link(life, { broker: this.#broker, chance: this.#chance, weather: () => this.#weather });
    return link;
  }

  /** A program that could not start, or that broke: it ends, and something starts it again. */
  #crash(life: Life, why: string): void {
    this.#say(life.name, () => `gives up: ${why}`);
    life.end();
  }

  // The bad luck.

  #strike(fault: Fault): void {
    this.#say('DAY', () => JSON.stringify(fault));
    const host = this.#hosts.get(fault.host);
    const agent = this.#agents.get(fault.host);
    const coordinator = this.#coordinators[0];
    switch (fault.what) {
      case 'agent dies':
        agent?.life.end();
        return;
      case 'agent dies at a touch':
        if (agent) agent.life.fuse = fault.ms % 12;
        return;
      case 'coordinator dies at a touch':
        if (coordinator) coordinator.life.fuse = fault.ms % 12;
        return;
      case 'host dies':
        if (host) this.#killHost(host, fault.ms);
        return;
      case 'coordinator dies':
        coordinator?.life.end();
        return;
      case 'coordinator sleeps':
        this.#freeze(coordinator, fault.ms);
        return;
      case 'nats restarts':
        this.#stopNats(fault.ms);
        return;
      case 'agent cut off':
        this.#cut(agent?.link, fault.ms);
        return;
      case 'coordinator cut off':
        this.#cut(coordinator?.link, fault.ms);
        return;
      case 'disk full':
        if (host) this.#fill(host, fault.ms);
        return;
      case 'clock jumps':
        if (host) host.clock.wallOffsetMs += (fault.ms % 2 === 0 ? 1 : -1) * fault.ms * 10;
        return;
      case 'bad network':
        this.#weather = { loss: 0.1, slow: 0.1, twice: 0.1 };
        this.#timeline.in(fault.ms, () => {
          this.#weather = FINE;
        });
    }
  }

  #killHost(host: Host, ms: number): void {
    host.crash();
    this.#agents.get(host.name)?.life.end();
    this.#timeline.in(ms, () => !this.#agents.get(host.name)?.life.alive && this.#startAgent(host));
  }

  /** SIGSTOP; meanwhile another one takes its place, and later it wakes up and knows of nothing. */
  #freeze(coordinator: Running | undefined, ms: number): void {
    if (!coordinator) return;
    coordinator.life.stop();
    if (this.#coordinators.length === 1)
      this.#timeline.in(ms / 2, () => this.#storm && this.#coordinators.length === 1 && this.#startCoordinator());
    this.#timeline.in(ms, () => coordinator.life.wake());
    this.#timeline.in(ms * 2, () => this.#coordinators.length > 1 && coordinator.life.end());
  }

  #stopNats(ms: number): void {
    this.#setNats(false);
    this.#timeline.in(ms, () => this.#setNats(true));
  }

  /** Every process notices that the server has gone or come. */
  #setNats(up: boolean): void {
    const links = [...this.#agents.values(), ...this.#coordinators].map(({ link }) => link);
    const before = links.map((link) => link.connected);
    this.#broker.up = up;
    for (const [i, link] of links.entries()) link.noticed(before[i] ?? false);
  }

  #cut(link: Link | undefined, ms: number): void {
    link?.cut(true);
    this.#timeline.in(ms, () => link?.cut(false));
  }

  #fill(host: Host, ms: number): void {
    this.#filled.add(host.name);
    host.disk.full = true;
    this.#timeline.in(ms, () => {
      host.disk.full = false;
    });
  }

  /** Nothing goes wrong from here on, what is broken is repaired, and people do what is theirs. */
  #calm(): void {
    this.#say('DAY', () => 'calm');
    this.#storm = false;
    this.#weather = FINE;
    this.#setNats(true);
    for (const host of this.#hosts.values()) {
      host.disk.full = false;
      host.clock.wallOffsetMs = 0;
      const agent = this.#agents.get(host.name);
      agent?.link.cut(false);
      if (agent) agent.life.fuse = undefined;
      // A journal that could not be written is out of use until the agent is started again.
      if (this.#filled.has(host.name)) agent?.life.end();
    }
    for (const { life, link } of [...this.#coordinators]) {
      link.cut(false);
      life.fuse = undefined;
      if (life.stopped || this.#coordinators.length > 1) life.end();
    }
    const decide = () => {
      this.#people.decide();
      this.#timeline.in(DECIDE_EVERY_MS, decide);
    };
    this.#timeline.in(DECIDE_EVERY_MS, decide);
  }

  // What hosts are like.

  #nature() {
    return {
      truth: (host: Host, what: string) => this.#truth.at(host.name, what, this.#timeline.nowMs),
      isActive: (host: Host, resource: string) => {
        const moved = this.#day.moved.find((one) => one.resource === resource);
        return moved !== undefined && this.#law.isActive(host.name, moved);
      },
      probeBreaks: () => this.#storm && this.#chance.hits(0.05),
    };
  }

  #manner(): { manner: Manner; ms: number } {
    const ms = this.#chance.between(100, 3_000);
    const bad = this.#storm && this.#chance.hits(0.15) ? this.#chance.oneOf(this.#manners) : undefined;
    return { manner: bad ?? 'does it', ms };
  }

  #newId(): string {
    return `id-${this.#chance.between(0, 2 ** 32 - 1).toString(36)}${this.#chance.between(0, 2 ** 32 - 1).toString(36)}`;
  }

  // The story.

  #appended(data: Uint8Array): void {
    const before = this.#law.state;
    this.#law.appended(data);
    if (!this.#trace) return;
    const { events, epoch } = JSON.parse(Buffer.from(data).toString('utf8'));
    for (const { type, step, host, direction, attempt, ...rest } of events) {
      const of = step === undefined ? '' : ` ${step}@${host ?? '-'} ${direction ?? ''}${attempt ?? ''}`;
      const more = type === 'StepStarted' ? rest.work.kind : textOf(rest).slice(0, 160);
      this.#say('log', () => `${type}${of} ${more} (epoch ${epoch}, was ${before.status})`);
    }
  }

  #logOf(name: string) {
    const write = (line: string) => {
      const { level: _level, msg, ...fields } = JSON.parse(line);
      this.#say(name, () => `${msg} ${textOf(fields).slice(0, 200)}`);
    };
    return pino({ level: 'info', base: {}, timestamp: false }, { write });
  }

  #say(who: string, what: () => string): void {
    this.#trace?.push(this.#line(who, what()));
  }

  #line(who: string, what: string): string {
    return `${(this.#timeline.nowMs / 1_000).toFixed(3).padStart(9)}  ${who.padEnd(16)}  ${what}`;
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

function identityOf({ name, boot }: Host, instance: string) {
  return {
    mesh: MESH,
    host: name,
    labels: {},
    machine: `machine-${name}`,
    boot: `boot-${boot}`,
    instance,
    version: '0',
  };
}

function textOf(fields: object | undefined): string {
  return fields === undefined ? '' : JSON.stringify(fields);
}
