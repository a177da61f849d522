import type { Json, Judgement, Operator } from '@signalbox/protocol';
import { safeText } from '../cli/safe-text.ts';

/** A value as a person reads it; whatever a host sent is made harmless for the terminal. */
export function valueText(value: Json | undefined): string {
  if (value === undefined || value === null || value === '') return 'none';
  return safeText(typeof value === 'string' ? value : JSON.stringify(value));
}

const SIGNS: Readonly<Record<Operator, (want: Json) => string>> = {
  equals: (want) => `= ${valueText(want)}`,
  in: (want) => `one of ${Array.isArray(want) ? want.map(valueText).join(', ') : valueText(want)}`,
  atMost: (want) => `<= ${valueText(want)}`,
  atLeast: (want) => `>= ${valueText(want)}`,
  absent: (want) => flag('absent', want),
  present: (want) => flag('present', want),
  rising: (want) => flag('rising', want),
  still: (want) => flag('still', want),
  changed: (want) => flag('changed', want),
};

function flag(word: string, want: Json): string {
  return want === true || want === 'true' ? word : `not ${word}`;
}

/** `<= 10`, `rising`, `= oplog sync` */
export function wantText({ op, want }: Pick<Judgement, 'op' | 'want'>): string {
  return SIGNS[op](want);
}

/** `pods 0  desired 0`: the values that a condition names, as they were last seen. */
export function namedValues(keys: readonly string[], values: Readonly<Record<string, Json>>): string {
  return keys.map((key) => `${key} ${valueText(values[key])}`).join('  ');
}
