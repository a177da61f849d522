import { z } from 'zod';
import { isJsonObject, type Json, Json as JsonSchema } from './json.ts';

export const OPERATORS = [
  'equals',
  'in',
  'atMost',
  'atLeast',
  'absent',
  'present',
  'rising',
  'still',
  'changed',
] as const;
export type Operator = (typeof OPERATORS)[number];

/** `{ height: { rising: true }, peers: { atLeast: 3 } }`: all must hold. Keys may be dotted paths into a sample. */
export type Condition = z.infer<typeof Condition>;
export const Condition = z.record(z.string(), z.partialRecord(z.enum(OPERATORS), JsonSchema));

/** One sample of a probe: its values and when it was taken, on the observer's monotonic clock. */
export interface Sample {
  atMs: number;
  values: Record<string, Json>;
}

/** One comparison of a condition, judged. `breaks` says whether a false one ends the window or only is not yet true. */
export interface Judgement {
  key: string;
  op: Operator;
  want: Json;
  have: Json | undefined;
  holds: boolean;
  breaks: boolean;
}

/**
 * Judges a condition over the samples of the present window, oldest first.
 * `rising`: never falls inside the window, and the last value is above the first.
 * `still`: every value in the window equals the first. `changed`: the last differs from the first.
 * The trend operators need two samples: with fewer they do not hold, and break nothing.
 */
export function judge(condition: Condition, window: readonly Sample[]): Judgement[] {
  return Object.entries(condition).flatMap(([key, operators]) =>
    Object.entries(operators).map(([op, want]) => judgeOne(key, op as Operator, want as Json, window)),
  );
}

export function holds(condition: Condition, window: readonly Sample[]): boolean {
  return window.length > 0 && judge(condition, window).every((j) => j.holds);
}

/** Reads a dotted path; the literal key wins, so that a value named `a.b` can be asked for. */
export function valueAt(values: Record<string, Json>, path: string): Json | undefined {
  if (Object.hasOwn(values, path)) return values[path];
  let current: Json | undefined = values;
  for (const part of path.split('.')) {
    current = isJsonObject(current) && Object.hasOwn(current, part) ? current[part] : undefined;
  }
  return current;
}

function judgeOne(key: string, op: Operator, want: Json, window: readonly Sample[]): Judgement {
  const seen = window.map((s) => valueAt(s.values, key));
  const have = seen.at(-1);
  const verdict = (holds: boolean, breaks = !holds): Judgement => ({ key, op, want, have, holds, breaks });
  switch (op) {
    case 'equals':
      return verdict(same(have, want));
    case 'in':
      return verdict(Array.isArray(want) && want.some((w) => same(have, w)));
    case 'atMost':
      return verdict(compare(have, want, (a, b) => a <= b));
    case 'atLeast':
      return verdict(compare(have, want, (a, b) => a >= b));
    case 'absent':
      return verdict(isAbsent(have) === truthy(want));
    case 'present':
      return verdict(!isAbsent(have) === truthy(want));
    case 'rising':
      return trend(verdict, want, {
        seen,
        now: isRising(seen),
        never: falls(seen) || seen.some((v) => toNumber(v) === undefined),
      });
    case 'still': {
      const moved = seen.some((v) => !same(v, seen[0]));
      return trend(verdict, want, { seen, now: !moved && !isAbsent(have), never: moved || isAbsent(have) });
    }
    case 'changed':
      return trend(verdict, want, { seen, now: !same(have, seen[0]), never: false });
  }
}

function trend(
  verdict: (holds: boolean, breaks?: boolean) => Judgement,
  want: Json,
  { seen, now, never }: { seen: unknown[]; now: boolean; never: boolean },
): Judgement {
  if (truthy(want)) return verdict(seen.length >= 2 && now, never);
  return verdict(seen.length >= 2 && !now, seen.length >= 2 && now);
}

function isRising(seen: (Json | undefined)[]): boolean {
  const [first, last] = [toNumber(seen[0]), toNumber(seen.at(-1))];
  return first !== undefined && last !== undefined && last > first && !falls(seen);
}

function falls(seen: (Json | undefined)[]): boolean {
  return seen.some((value, i) => i > 0 && compare(value, seen[i - 1] ?? null, (a, b) => a < b));
}

function compare(
  left: Json | undefined,
  right: Json,
  test: (a: number | bigint, b: number | bigint) => boolean,
): boolean {
  const [a, b] = [toNumber(left), toNumber(right)];
  return a !== undefined && b !== undefined && test(a, b);
}

/** Numbers, and decimal integers in strings as BigInt: heights and offsets pass 2^53 and must not be rounded. */
function toNumber(value: Json | undefined): number | bigint | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d+\.\d+$/.test(value)) return Number(value);
  return undefined;
}

function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const [x, y] = [toNumber(a), toNumber(b)];
  // Loose on purpose between 5 and "5" only: the same quantity, written by two programs.
  // biome-ignore lint/suspicious/noDoubleEquals: number against BigInt
  if (x !== undefined && y !== undefined) return x == y;
  return JSON.stringify(a) === JSON.stringify(b);
}

function isAbsent(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '';
}

function truthy(want: Json): boolean {
  return want === true || want === 'true';
}
