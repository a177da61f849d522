import type { Cancel, Timeline } from './timeline.ts';

/** Thrown where a process dies in the middle of what it does. No code of the process can do anything about it. */
export class Died extends Error {}

/**
 * One incarnation of a process. Nothing of it happens after its end: its timers are gone, its ports are dead, answers
 * that were on their way to it are lost. It can also be stopped for a while (SIGSTOP) and wakes up as if no time had
 * passed.
 */
export class Life {
  readonly name: string;
  readonly timeline: Timeline;
  readonly #onEnd: (() => void)[] = [];
  #state: 'alive' | 'stopped' | 'over' = 'alive';
  #missed: (() => void)[] = [];
  /** How many more times it may touch the world before it dies there; undefined: as often as it likes. */
  fuse: number | undefined;

  constructor(name: string, timeline: Timeline) {
    this.name = name;
    this.timeline = timeline;
  }

  get alive(): boolean {
    return this.#state !== 'over';
  }

  get stopped(): boolean {
    return this.#state === 'stopped';
  }

  /** Something reaches the process now, or when it wakes up, or never. */
  reach(what: () => void): void {
    if (this.#state === 'alive') what();
    else if (this.#state === 'stopped') this.#missed.push(what);
  }

  after(ms: number, what: () => void): Cancel {
    return this.timeline.in(ms, () => this.reach(what));
  }

  /** The process touches the world here, and may die just before. @throws Died when it is not there any more. */
  mustBeAlive(): void {
    if (this.fuse !== undefined && this.fuse-- <= 0) this.end();
    if (!this.alive) throw new Died(`${this.name} is dead`);
  }

  /** A promise of the world to the process: what settles it passes through `reach`. */
  promise<T>(ask: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.fuse !== undefined && this.fuse-- <= 0) this.end();
      if (!this.alive) return;
      ask(
        (value) => this.reach(() => resolve(value)),
        (error) => this.reach(() => reject(error)),
      );
    });
  }

  onEnd(call: () => void): void {
    this.#onEnd.push(call);
  }

  end(): void {
    if (!this.alive) return;
    this.#state = 'over';
    this.#missed = [];
    for (const call of this.#onEnd) call();
  }

  stop(): void {
    if (this.#state === 'alive') this.#state = 'stopped';
  }

  wake(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'alive';
    const missed = this.#missed;
    this.#missed = [];
    for (const what of missed) this.after(0, what);
  }
}
