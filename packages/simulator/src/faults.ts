import type { Broker } from './broker.ts';
import type { Conditions } from './conditions.ts';
import type { CoordinatorMachines } from './coordinator-machines.ts';
import { type Fault, TAIL_FAULT, type TailLoss } from './day.ts';
import type { Host } from './host.ts';
import { FINE, type Link } from './network.ts';
import type { Processes, Running } from './processes.ts';
import type { Timeline } from './timeline.ts';

export interface FaultsOptions {
  readonly timeline: Timeline;
  readonly broker: Broker;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly processes: Processes;
  readonly machines: CoordinatorMachines;
  readonly conditions: Conditions;
  /** The agent of a host has an empty journal from now on. */
  readonly reinstalled: (host: string) => void;
  /** What NATS has stored is less than it was. */
  readonly putBack: () => void;
  readonly say: (who: string, what: () => string) => void;
}

/** Whom a blow may strike; those who are not there are spared. */
interface Target {
  readonly host: Host | undefined;
  readonly agent: Running | undefined;
  readonly coordinator: Running | undefined;
  /** How long, or how much. */
  readonly ms: number;
}

/** The bad luck of a day: it strikes in the storm, and is put right when the calm comes. */
export class Faults {
  readonly #options: FaultsOptions;
  /** Hosts whose disk has been full. */
  readonly #filled = new Set<string>();
  readonly #clones = new Set<Host>();

  readonly #struck = new Set<string>();
  /** How each kind of trouble comes about. */
  readonly #blows: Readonly<Record<Fault['what'], (at: Target) => void>> = {
    'agent dies': ({ agent }) => agent?.life.end(),
    'agent dies at a touch': ({ agent, ms }) => agent && lightFuse(agent, ms),
    'coordinator dies': ({ coordinator }) => coordinator?.life.end(),
    'coordinator dies at a touch': ({ coordinator, ms }) => coordinator && lightFuse(coordinator, ms),
    'coordinator sleeps': ({ coordinator, ms }) => this.#freeze(coordinator, ms),
    'coordinator cut off': ({ coordinator, ms }) => this.#cut(coordinator?.link, ms),
    'coordinator clock jumps': ({ coordinator, ms }) =>
      coordinator && this.#options.machines.jump(coordinator.clock, jumpOf(ms)),
    'host dies': ({ host, ms }) => host && this.killHost(host, ms),
    'host reinstalled': ({ host, ms }) => host && this.#reinstall(host, ms),
    'host cloned': ({ host, ms }) => host && this.#clone(host, ms),
    'agent cut off': ({ agent, ms }) => this.#cut(agent?.link, ms),
    'disk full': ({ host, ms }) => host && this.#fill(host, ms),
    'clock jumps': ({ host, ms }) => {
      if (host) host.clock.wallOffsetMs += jumpOf(ms);
    },
    'nats restarts': ({ ms }) => this.stopNats(ms),
    'nats full': ({ ms }) => this.#fillNats(ms),
    'bad network': ({ ms }) => this.#rain(ms),
  };

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** The kinds of trouble that there have been. */
  get struck(): ReadonlySet<string> {
    return this.#struck;
  }

  /** Only in the storm: later ones come to nothing. */
  strike({ what, host: name, ms }: Fault): void {
    if (!this.#options.conditions.storm) return;
    this.#options.say('DAY', () => JSON.stringify({ what, host: name, ms }));
    const { hosts, processes } = this.#options;
    const [host, agent] = [hosts.get(name), processes.agent(name)];
    const coordinator = processes.coordinators[ms % Math.max(1, processes.coordinators.length)];
    const target = what.startsWith('coordinator') ? coordinator : host;
    if (target === undefined) return;
    this.#struck.add(what);
    this.#blows[what]({ host, agent, coordinator, ms });
  }

  /** It loses power, and has it again after a while. */
  killHost(host: Host, ms: number): void {
    const { timeline, processes } = this.#options;
    host.crash();
    processes.agent(host.name)?.life.end();
    timeline.in(ms, () => !processes.agent(host.name)?.life.alive && processes.startAgent(host));
  }

  /** Messages are lost, slow, or come twice. */
  #rain(ms: number): void {
    const { timeline, conditions } = this.#options;
    conditions.weather = { loss: 0.1, slow: 0.1, twice: 0.1 };
    timeline.in(ms, () => {
      conditions.weather = FINE;
    });
  }

  #fillNats(ms: number): void {
    const { timeline, broker } = this.#options;
    broker.full = true;
    timeline.in(ms, () => {
      broker.full = false;
    });
  }

  #reinstall(host: Host, ms: number): void {
    this.killHost(host, ms);
    host.reinstall();
    this.#options.reinstalled(host.name);
  }

  /** Two of one name until somebody notices. */
  #clone(host: Host, ms: number): void {
    const { timeline, processes } = this.#options;
    const clone = host.clone();
    this.#clones.add(clone);
    processes.startAgent(clone);
    timeline.in(ms, () => processes.remove(clone));
  }

  /** SIGSTOP; meanwhile another one takes its place, and later it wakes up and knows of nothing. */
  #freeze(coordinator: Running | undefined, ms: number): void {
    if (!coordinator) return;
    const { timeline, processes, conditions } = this.#options;
    const isOnlyOne = () => processes.coordinators.length === 1;
    coordinator.life.stop();
    if (isOnlyOne()) timeline.in(ms / 2, () => conditions.storm && isOnlyOne() && processes.startCoordinator());
    timeline.in(ms, () => coordinator.life.wake());
  }

  /** What NATS stores from here on it loses again. */
  loseTail({ lostMs, downMs }: TailLoss): void {
    const { timeline, broker, conditions } = this.#options;
    const putBack = broker.remember();
    timeline.in(lostMs, () => {
      if (!conditions.storm) return;
      this.#struck.add(TAIL_FAULT);
      this.#options.say('DAY', () => `NATS is put back by ${Math.round(lostMs)} ms`);
      this.stopNats(downMs);
      putBack();
      this.#options.putBack();
    });
  }

  /** Nobody reaches NATS for so long. What it has stored it has afterwards. */
  stopNats(ms: number): void {
    this.#setNats(false);
    this.#options.timeline.in(ms, () => this.#setNats(true));
  }

  /** Every process notices that the server has gone or come. */
  #setNats(up: boolean): void {
    const { broker, processes } = this.#options;
    const links = processes.all().map(({ link }) => link);
    const before = links.map((link) => link.connected);
    broker.up = up;
    for (const [i, link] of links.entries()) link.noticed(before[i] ?? false);
  }

  #cut(link: Link | undefined, ms: number): void {
    link?.cut(true);
    this.#options.timeline.in(ms, () => link?.cut(false));
  }

  #fill(host: Host, ms: number): void {
    this.#filled.add(host.name);
    host.disk.full = true;
    this.#options.timeline.in(ms, () => {
      host.disk.full = false;
    });
  }

  /** Nothing goes wrong from here on, and what is broken is repaired. */
  calm(): void {
    const { broker, hosts, processes, machines, conditions } = this.#options;
    this.#options.say('DAY', () => 'calm');
    machines.set();
    broker.full = false;
    for (const clone of this.#clones) processes.remove(clone);
    conditions.storm = false;
    conditions.weather = FINE;
    this.#setNats(true);
    for (const host of hosts.values()) {
      host.disk.full = false;
      host.clock.wallOffsetMs = 0;
      const agent = processes.agent(host.name);
      agent?.link.cut(false);
      if (agent) agent.life.fuse = undefined;
      // A journal that could not be written is out of use until the agent is started again.
      if (this.#filled.has(host.name)) agent?.life.end();
    }
    for (const { life, link } of [...processes.coordinators]) {
      link.cut(false);
      life.fuse = undefined;
      life.wake();
    }
  }
}

/** It dies after a few more touches of the world. */
function lightFuse({ life }: Running, ms: number): void {
  life.fuse = ms % 12;
}

function jumpOf(ms: number): number {
  return (ms % 2 === 0 ? 1 : -1) * ms * 10;
}
