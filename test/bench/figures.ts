/** What was measured of one thing. */
export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'MB' | '%';
  readonly value: number;
  /** The least that it can cost, measured beside it in the same run. */
  readonly floor?: number;
  /** The most that it may be: of the value itself, and as a multiple of the floor. */
  readonly target?: { readonly value?: number; readonly ratio?: number };
  readonly note?: string;
}

/** Something that could not be measured here, and why. */
export interface Skipped {
  readonly what: string;
  readonly skipped: string;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** Median milliseconds of `times` calls, one after the other, after a few that do not count. */
export async function medianMs(times: number, call: (i: number) => unknown): Promise<number> {
  const warmUp = Math.ceil(times / 10);
  const took: number[] = [];
  for (let i = 0; i < warmUp + times; i++) {
    const startMs = performance.now();
    await call(i);
    if (i >= warmUp) took.push(performance.now() - startMs);
  }
  return median(took);
}

export function ratioOf({ value, floor }: Row): number | undefined {
  return floor === undefined ? undefined : value / floor;
}

/** What a figure misses of its target; undefined when it has none or meets it. */
export function missOf(row: Row): string | undefined {
  const { value, target } = row;
  const ratio = ratioOf(row);
  const over = [
    ...(target?.value !== undefined && value > target.value ? [`over ${target.value} ${row.unit}`] : []),
    ...(target?.ratio !== undefined && ratio !== undefined && ratio > target.ratio ? [`over ${target.ratio}x`] : []),
  ];
  return over.length === 0 ? undefined : over.join(', ');
}
