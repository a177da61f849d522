interface Happening {
  readonly atMs: number;
  /** Breaks ties: what was planned first happens first. */
  readonly order: number;
  what: (() => void) | undefined;
}

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

  /** Lets the next thing happen, and everything that follows from it at once. False when nothing is left. */
  async step(): Promise<boolean> {
    for (;;) {
      const next = this.#pop();
      if (next === undefined) return false;
      if (next.what === undefined) continue;
      this.#nowMs = next.atMs;
      next.what();
      await settled();
      return true;
    }
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
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return false;
    return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}

/** Promises settle before the event loop comes round; nothing in a simulated world waits for anything else. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
