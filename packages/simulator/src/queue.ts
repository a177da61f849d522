/** Something that is going to happen; without `what`, it was called off. */
export interface Happening {
  readonly atMs: number;
  /** Breaks ties: what was planned first happens first. */
  readonly order: number;
  what: (() => void) | undefined;
}

/** What is going to happen, the earliest first: a binary heap. */
export class Queue {
  readonly #heap: Happening[] = [];

  push(happening: Happening): void {
    const heap = this.#heap;
    let at = heap.push(happening) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isBefore(above, happening)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = happening;
  }

  /** The earliest that was not called off. */
  get first(): Happening | undefined {
    let [first] = this.#heap;
    while (first !== undefined && first.what === undefined) {
      this.shift();
      [first] = this.#heap;
    }
    return first;
  }

  /** Takes the first one out. */
  shift(): void {
    const heap = this.#heap;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const isRight = right !== undefined && isBefore(right, left);
      const least = isRight ? right : left;
      if (isBefore(moved, least)) break;
      heap[at] = least;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = moved;
  }
}

export function isBefore(one: Happening, other: Happening): boolean {
  return one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs;
}
