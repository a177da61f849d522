import type { Broker } from './broker.ts';
import type { Conditions } from './conditions.ts';
import type { Fault, TailLoss } from './day.ts';
import type { Host } from './host.ts';
import { FINE, type Link } from './network.ts';
import type { Processes, Running } from './processes.ts';
import type { Timeline } from './timeline.ts';

export interface FaultsOptions {
  readonly timeline: Timeline;
  readonly broker: Broker;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly processes: Processes;
  readonly conditions: Conditions;
  /** The agent of a host has an empty journal from now on. */
  readonly reinstalled: (host: string) => void;
  /** What NATS has stored is less than it was. */
  readonly putBack: () => void;
  readonly say: (who: string, what: () => string) => void;
}

/** The bad luck of a day: it strikes in the storm, and is put right when the calm comes. */
export class Faults {
  readonly #options: FaultsOptions;
  /** Hosts whose disk has been full. */
  readonly #filled = new Set<string>();
  readonly #clones = new Set<Host>();

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Only in the storm: later ones come to nothing. */
  strike(fault: Fault): void {
    if (!this.#options.conditions.storm) return;
    this.#options.say('DAY', () => JSON.stringify(fault));
    const { timeline, hosts, processes, conditions } = this.#options;
    const host = hosts.get(fault.host);
    const agent = processes.agent(fault.host);
    const coordinator = processes.coordinators[fault.ms % Math.max(1, processes.coordinators.length)];
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
        if (host) this.killHost(host, fault.ms);
        return;
      case 'coordinator dies':
        coordinator?.life.end();
        return;
      case 'coordinator sleeps':
        this.#freeze(coordinator, fault.ms);
        return;
      case 'nats restarts':
        this.stopNats(fault.ms);
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
      case 'nats full':
        this.#fillNats(fault.ms);
        return;
      case 'host reinstalled':
        if (host) this.#reinstall(host, fault.ms);
        return;
      case 'host cloned':
        if (host) this.#clone(host, fault.ms);
        return;
      case 'bad network':
        conditions.weather = { loss: 0.1, slow: 0.1, twice: 0.1 };
        timeline.in(fault.ms, () => {
          conditions.weather = FINE;
        });
    }
  }

  /** It loses power, and has it again after a while. */
  killHost(host: Host, ms: number): void {
    const { timeline, processes } = this.#options;
    host.crash();
    processes.agent(host.name)?.life.end();
    timeline.in(ms, () => !processes.agent(host.name)?.life.alive && processes.startAgent(host));
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
    const { broker, hosts, processes, conditions } = this.#options;
    this.#options.say('DAY', () => 'calm');
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
