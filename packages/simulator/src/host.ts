import type { ProcessGroup } from '@signalbox/agent';
import type { Direction } from '@signalbox/protocol';
import { Disk } from './disk.ts';
import { MachineClock } from './machine.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';

/** What is on a host of one step: nothing, a part, or all of it. */
export type Mark = 'none' | 'partial' | 'applied';

/** How the process of an action goes about its work. */
export type Manner =
  | 'does it'
  | 'fails and does nothing'
  | 'fails half-way'
  | 'does it and says it failed'
  | 'does it and loses its answer'
  | 'hangs half-way';

export const EXIT = { done: 0, failed: 1, lost: 2, killed: 137 } as const;

export interface Execution {
  readonly commandId: string;
  readonly step: string;
  readonly direction: Direction;
}

interface Running extends Execution {
  readonly group: ProcessGroup;
  readonly exited: ((code: number) => void)[];
}

/** What somebody who watches the host itself is told. */
export interface HostWatch {
  spawned(host: Host, execution: Execution): void;
  marked(host: Host, step: string, mark: Mark): void;
}

/**
 * A machine: a disk, a clock, and processes that do what steps are about. A process outlives the agent that started it
 * and dies with the host. Nothing of the product looks in here, so it is what outcomes are compared with.
 */
export class Host {
  readonly name: string;
  readonly clock: MachineClock;
  readonly disk: Disk;
  readonly marks = new Map<string, Mark>();
  readonly #timeline: Timeline;
  readonly #watch: HostWatch;
  readonly #running = new Map<number, Running>();
  readonly #chance: Chance;
  #pid = 100;
  boot = 1;
  /** How often an agent was installed on it, each time with an empty journal of its own. */
  installs = 1;
  /** The hardware; a clone has the name, the keys and the disk of another host, and not this. */
  readonly machine: string;
  /** Nobody starts anything on it any more. */
  gone = false;

  constructor(
    name: string,
    { timeline, chance, watch }: { timeline: Timeline; chance: Chance; watch: HostWatch },
    machine = `machine-${name}`,
  ) {
    this.name = name;
    this.machine = machine;
    this.#chance = chance;
    this.#timeline = timeline;
    this.#watch = watch;
    this.clock = new MachineClock(timeline);
    this.disk = new Disk(chance);
  }

  mark(step: string): Mark {
    return this.marks.get(step) ?? 'none';
  }

  spawn(execution: Execution, { manner, ms }: { manner: Manner; ms: number }): ProcessGroup {
    this.#pid += 1;
    const group = { pid: this.#pid, startTicks: `${this.boot}-${this.#pid}` };
    this.#running.set(group.pid, { ...execution, group, exited: [] });
    this.#watch.spawned(this, execution);
    const goal: Mark = execution.direction === 'do' ? 'applied' : 'none';
    const begin = this.mark(execution.step);
    const set = (mark: Mark) => this.#ifRunning(group, () => this.setMark(execution.step, mark));
    const exit = (code: number) => this.#ifRunning(group, () => this.#exit(group.pid, code));
    this.#timeline.in(ms / 2, () => {
      if (manner !== 'fails and does nothing' && begin !== goal) set('partial');
    });
    this.#timeline.in(ms, () => {
      if (manner === 'does it' || manner === 'does it and says it failed' || manner === 'does it and loses its answer')
        set(goal);
      if (manner === 'does it') exit(EXIT.done);
      else if (manner === 'does it and loses its answer') exit(EXIT.lost);
      else if (manner !== 'hangs half-way') exit(EXIT.failed);
    });
    return group;
  }

  /** Tells when the process ends; never, when the host dies first. */
  onExit({ pid }: ProcessGroup, exited: (code: number) => void): void {
    this.#running.get(pid)?.exited.push(exited);
  }

  isRunning({ pid, startTicks }: ProcessGroup): boolean {
    return this.#running.get(pid)?.group.startTicks === startTicks;
  }

  kill(group: ProcessGroup): void {
    if (this.isRunning(group)) this.#exit(group.pid, EXIT.killed);
  }

  works(step: string): boolean {
    return [...this.#running.values()].some((running) => running.step === step);
  }

  ofCommand(commandId: string): ProcessGroup[] {
    return [...this.#running.values()].filter((running) => running.commandId === commandId).map(({ group }) => group);
  }

  setMark(step: string, mark: Mark): void {
    this.marks.set(step, mark);
    this.#watch.marked(this, step, mark);
  }

  get isClone(): boolean {
    return this.machine !== `machine-${this.name}`;
  }

  /** A second machine from a copy of this one's disk, that nobody has told that it is another. */
  clone(): Host {
    const world = { timeline: this.#timeline, chance: this.#chance, watch: this.#watch };
    const clone = new Host(this.name, world, `clone-of-${this.machine}`);
    for (const [step, mark] of this.marks) clone.marks.set(step, mark);
    clone.disk.put(this.disk.text);
    clone.installs = this.installs;
    return clone;
  }

  /** The system is put on anew: what steps have done outside of it stays, the agent's journal does not. */
  reinstall(): void {
    this.crash();
    this.disk.put('');
    this.installs += 1;
  }

  /** Power is gone: with it every process, and what the disk had not synced. */
  crash(): void {
    this.#running.clear();
    this.disk.crash();
    this.boot += 1;
    this.clock.reboot();
  }

  #ifRunning(group: ProcessGroup, what: () => void): void {
    if (this.isRunning(group)) what();
  }

  #exit(pid: number, code: number): void {
    const running = this.#running.get(pid);
    this.#running.delete(pid);
    for (const exited of running?.exited ?? []) exited(code);
  }
}
