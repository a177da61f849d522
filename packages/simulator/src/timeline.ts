interface Happening {
  readonly atMs: number;
  /** Breaks ties: what was planned first happens first. */
  readonly order: number;
  what: (() => void) | undefined;
}

/** How many things happen in one turn of the event loop. */
const TURN = 64;

export type Cancel = () => void;

/** True time, which no simulated process can read, and everything that is going to happen in it. */
export class Timeline {
  #nowMs = 0;
  #order = 0;
  /** A binary heap, the earliest on top. */
  readonly #heap: Happening[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  in(ms: number, what: () => void): Cancel {
    const happening: Happening = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, what };
    this.#push(happening);
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
    let next = this.#pop();
    while (next !== undefined && next.what === undefined) next = this.#pop();
    if (next?.what === undefined) return false;
    this.#nowMs = next.atMs;
    next.what();
    return true;
  }

  #push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): Happening | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (top === undefined || last === undefined || top === last) return top;
    heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const least = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(least, at)) return top;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return false;
    return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
  }

  #swap(a: number, b: number): void {
    const one = this.#heap[a];
    const other = this.#heap[b];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}
