import { type Happening, Queue } from './queue.ts';

/** How many things happen in one turn of the event loop. */
const TURN = 64;

export type Cancel = () => void;

/** True time, which no simulated process can read, and everything that is going to happen in it. */
export class Timeline {
  #nowMs = 0;
  #order = 0;
  readonly #queue = new Queue();

  get nowMs(): number {
    return this.#nowMs;
  }

  in(ms: number, what: () => void): Cancel {
    const happening: Happening = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, what };
    this.#queue.push(happening);
    return () => {
      happening.what = undefined;
    };
  }

  /**
   * Lets one thing happen after the other, each with everything that follows from it at once, until `isOver` says so or
   * nothing is left. Promises settle before the next immediate: nothing in a simulated world waits for anything else.
   * Many immediates in one turn of the event loop, because a turn costs more than most things that happen.
   */
  async pass(isOver: () => boolean): Promise<void> {
    for (let over = false; !over; ) {
      await new Promise<void>((resolve, reject) => {
        for (let i = 0; i < TURN; i++) {
          setImmediate(() => {
            try {
              over ||= isOver() || !this.#step();
            } catch (error) {
              over = true;
              reject(error);
            }
          });
        }
        setImmediate(resolve);
      });
    }
  }

  /** False when nothing is left. */
  #step(): boolean {
    const { first } = this.#queue;
    if (first?.what === undefined) return false;
    this.#queue.shift();
    this.#nowMs = first.atMs;
    first.what();
    return true;
  }
}
