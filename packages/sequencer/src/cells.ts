import type { Plan } from '@signalbox/protocol';
import { type Cell, cellKey } from './cell.ts';
import { indexOf } from './tree.ts';

const CHUNK = 64;

/**
 * The cells of a run by key, in plan order. Never changed in place: a new version shares all chunks but one with the
 * version before, so that folding a long log does not copy the whole plan for each event.
 */
export class Cells implements ReadonlyMap<string, Cell> {
  readonly #plan: Plan;
  readonly #chunks: readonly (readonly Cell[])[];

  private constructor(plan: Plan, chunks: readonly (readonly Cell[])[]) {
    this.#plan = plan;
    this.#chunks = chunks;
  }

  static of(plan: Plan, make: (step: string, host: string | null) => Cell): Cells {
    const cells = indexOf(plan).refs.map((ref) => make(ref.leaf.id, ref.host));
    const chunks = Array.from({ length: Math.ceil(cells.length / CHUNK) }, (_, i) =>
      cells.slice(i * CHUNK, (i + 1) * CHUNK),
    );
    return new Cells(plan, chunks);
  }

  get size(): number {
    return indexOf(this.#plan).refs.length;
  }

  has(key: string): boolean {
    return indexOf(this.#plan).byKey.has(key);
  }

  get(key: string): Cell | undefined {
    const position = indexOf(this.#plan).byKey.get(key)?.position;
    return position === undefined ? undefined : this.#chunks[Math.floor(position / CHUNK)]?.[position % CHUNK];
  }

  /** This map with another value for one key that it has. */
  with(cell: Cell): Cells {
    const position = indexOf(this.#plan).byKey.get(cellKey(cell.step, cell.host))?.position;
    if (position === undefined) return this;
    const at = Math.floor(position / CHUNK);
    const chunk = this.#chunks[at]?.with(position % CHUNK, cell);
    return chunk ? new Cells(this.#plan, this.#chunks.with(at, chunk)) : this;
  }

  /** This map with every cell changed, or left when `change` returns it as it is. */
  map(change: (cell: Cell) => Cell): Cells {
    return new Cells(
      this.#plan,
      this.#chunks.map((chunk) => chunk.map(change)),
    );
  }

  keys() {
    return indexOf(this.#plan).byKey.keys();
  }

  values() {
    return this.#chunks.flat().values();
  }

  entries() {
    return this.#chunks
      .flat()
      .map((cell): [string, Cell] => [cell.key, cell])
      .values();
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  forEach(visit: (cell: Cell, key: string, map: ReadonlyMap<string, Cell>) => void): void {
    for (const [key, cell] of this) visit(cell, key, this);
  }
}
