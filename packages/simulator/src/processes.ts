import { createAgent, createSecretValues, openJournal, type Toolbox } from '@signalbox/agent';
import { HostQueries, Hosts, Members, type Ports, Runs, serveRequests } from '@signalbox/coordinator';
import { agentBus } from './agent-bus.ts';
import type { Broker, LaneName } from './broker.ts';
import type { Conditions } from './conditions.ts';
import { coordinatorBus } from './coordinator-bus.ts';
import type { CoordinatorMachines } from './coordinator-machines.ts';
import type { Host } from './host.ts';
import { keyOf } from './keys.ts';
import { Life } from './life.ts';
import { clockOf, type MachineClock } from './machine.ts';
import { Link } from './network.ts';
import type { Crowd } from './people.ts';
import type { Planted } from './planted.ts';
import type { Chance } from './random.ts';
import { type Story, textOf } from './story.ts';
import type { Switchboard } from './switchboard.ts';
import type { Timeline } from './timeline.ts';
import { type NextManner, workbench } from './workbench.ts';

/** Looked at less often than in a mesh: nobody here waits for a quick takeover. */
const LEASE = { leaseMs: 5_000, lookMs: 1_500 };

export interface ProcessesOptions {
  readonly mesh: string;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly broker: Broker;
  readonly switchboard: Switchboard;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly machines: CoordinatorMachines;
  readonly conditions: Readonly<Conditions>;
  readonly planted: Planted;
  readonly toolbox: (host: Host) => Toolbox;
  readonly crowd: Crowd;
  readonly nextManner: NextManner;
  /** An agent tells the stream that it has dealt with a message. */
  readonly acked: (host: string, lane: LaneName, id: string) => void;
  readonly story: Story;
}

/** A process of the mesh, its connection to the broker, and the clocks of its machine. */
export interface Running {
  readonly life: Life;
  readonly link: Link;
  readonly clock: MachineClock;
}

/** The agents and coordinators of a day: the real code on simulated ports, started again whenever they end. */
export class Processes {
  readonly #options: ProcessesOptions;
  /** By host; a clone is a host of its own. */
  readonly #agents = new Map<Host, Running>();
  readonly #secrets = createSecretValues();
  #coordinators: readonly Running[] = [];
  /** How many are kept running: one, or one and its standby. */
  #wanted = 0;
  #lives = 0;

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** The last agent that was started on a host; it may be dead. */
  agent(host: string): Running | undefined {
    const machine = this.#options.hosts.get(host);
    return machine && this.#agents.get(machine);
  }

  /** It is switched off for good. */
  remove(host: Host): void {
    host.gone = true;
    this.#agents.get(host)?.life.end();
    this.#agents.delete(host);
  }

  /** Those that have not ended, the oldest first. */
  get coordinators(): readonly Running[] {
    return this.#coordinators;
  }

  all(): readonly Running[] {
    return [...this.#agents.values(), ...this.#coordinators];
  }

  /** The day is over for all of them. */
  end(): void {
    for (const { life } of this.all()) life.end();
  }

  startAgent(host: Host): void {
    const { mesh, switchboard, chance, planted, nextManner, acked, story } = this.#options;
    const life = this.#newLife(`agent ${host.name}`);
    const link = this.#linkOf(life);
    this.#agents.set(host, { life, link, clock: host.clock });
    const clock = planted.agentClock(clockOf(life, host.clock));
    const self = planted.self({ machine: host.machine, journal: journalOf(host) }, host);
    const identity = identityOf(mesh, host, { machine: self.machine, instance: life.name });
    const journal = openJournal(planted.storage(host.disk.storage(life), host), {
      identity,
      newId: () => self.journal,
      nowMs: clock.nowMs,
    });
    const bus = agentBus(host.name, link, {
      switchboard,
      // What a clone has on its disk is not what the host has.
      acked: (lane, id) => !host.isClone && acked(host.name, lane, id),
    });
    const agent = createAgent(
      {
        bus: planted.agentBus(bus, host),
        journal,
        clock,
        random: { uuid: () => this.#newId(), fraction: () => chance.fraction() },
        workbench: planted.workbench(workbench({ host, life, next: nextManner, secrets: this.#secrets }), host),
        reader: { facts: async () => ({}), load: () => ({ agentRssBytes: 1 }), goingDown: async () => false },
        toolbox: planted.toolbox(this.#options.toolbox(host), host),
        signer: keyOf(host.name),
        log: (level, message, fields) => {
          if (level !== 'debug') story.say(life.name, () => `${message} ${textOf(fields)}`);
        },
      },
      {
        identity,
        coordinators: [keyOf('coordinator').publicKey],
        authority: planted.trusting ? undefined : keyOf('authority').publicKey,
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
    const { boot } = host;
    this.#options.timeline.in(this.#restartMs(), () => {
      if (!host.gone && host.boot === boot && !this.#agents.get(host)?.life.alive) this.startAgent(host);
    });
  }

  /** One more coordinator, from now on. */
  addCoordinator(): void {
    this.#wanted += 1;
    this.startCoordinator();
  }

  startCoordinator(): void {
    const { mesh, timeline, switchboard, chance, planted, story } = this.#options;
    const life = this.#newLife('coordinator');
    const link = this.#linkOf(life);
    const clock = this.#idleMachine();
    this.#coordinators = [...this.#coordinators, { life, link, clock }];
    life.onEnd(() => {
      this.#coordinators = this.#coordinators.filter((other) => other.life !== life);
      timeline.in(this.#restartMs(), () => this.#coordinators.length < this.#wanted && this.startCoordinator());
    });
    const ports: Ports = {
      mesh,
      name: `coordinator-${this.#lives}`,
      bus: planted.coordinatorBus(coordinatorBus(link, switchboard)),
      signer: keyOf('coordinator'),
      clock: clockOf(life, clock),
      random: () => chance.fraction(),
      newId: () => this.#newId(),
      log: story.logOf(life.name),
    };
    this.#coordinate(ports).catch((error: unknown) => this.#crash(life, String(error)));
  }

  /** One on which no coordinator runs, or else the first. */
  #idleMachine(): MachineClock {
    const { clocks } = this.#options.machines;
    const idle = clocks.find((clock) => this.#coordinators.every((running) => running.clock !== clock));
    return idle ?? clocks[0];
  }

  /** What `runCoordinator` wires, without what only looks on: metrics, status events, pages. */
  async #coordinate(ports: Ports): Promise<void> {
    const enrolled = [...this.#options.hosts.keys()].map((name) => [name, { key: keyOf(name).publicKey, labels: {} }]);
    const operators = Object.entries(this.#options.crowd).map(([name, role]) => [
      name,
      { key: keyOf(name).publicKey, role },
    ]);
    const hosts = new Hosts(ports, Object.fromEntries(enrolled));
    const queries = new HostQueries(ports, hosts);
    const members = new Members({ ports, ...LEASE });
    const runs = new Runs({ ports, queries, hosts, members, onRunner: () => {}, onEntry: () => {} });
    await hosts.start();
    await members.start();
    await serveRequests(
      { ports, hosts, runs, members, queries, version: '0' },
      { mesh: ports.mesh, operators: Object.fromEntries(operators) },
    );
    await runs.share();
  }

  #newLife(name: string): Life {
    this.#lives += 1;
    const life = new Life(`${name} #${this.#lives}`, this.#options.timeline);
    this.#options.story.say(life.name, () => 'starts');
    life.onEnd(() => this.#options.story.say(life.name, () => 'is dead'));
    return life;
  }

  #linkOf(life: Life): Link {
    const { broker, chance, conditions } = this.#options;
    return new Link(life, { broker, chance, weather: () => conditions.weather });
  }

  /** A program that could not start, or that broke: it ends, and something starts it again. */
  #crash(life: Life, why: string): void {
    this.#options.story.say(life.name, () => `gives up: ${why}`);
    life.end();
  }

  /** How long it takes until something starts a process again. */
  #restartMs(): number {
    const { chance, conditions } = this.#options;
    return chance.between(200, conditions.storm ? 8_000 : 1_000);
  }

  #newId(): string {
    const part = () => this.#options.chance.between(0, 2 ** 32 - 1).toString(36);
    return `id-${part()}${part()}`;
  }
}

/** A host that is installed anew has another journal, which no plan of before was made for. */
function journalOf({ name, installs }: Host): string {
  return installs === 1 ? `journal-${name}` : `journal-${name}-${installs}`;
}

function identityOf(mesh: string, { name, boot }: Host, { machine, instance }: { machine: string; instance: string }) {
  return {
    mesh,
    host: name,
    labels: {},
    machine,
    boot: `boot-${boot}`,
    instance,
    version: '0',
  };
}
