import type { Condition, Json, Operator, ProbeSpec } from '@signalbox/protocol';

export interface Wanted {
  readonly until: Condition;
  readonly failIf: Condition;
  /** Whether `until` is to hold. `failIf` never does: what it means is no fault of a host's. */
  readonly met: boolean;
  readonly nowMs: number;
}

/** What a probe measures on a host that is as a gate wants it, or not yet; values that no gate asks about are plain. */
export function valuesFor(spec: Pick<ProbeSpec, 'values'>, wanted: Wanted): Record<string, Json> {
  const values: Record<string, Json> = {};
  for (const [name, { type }] of Object.entries(spec.values)) values[name] = PLAIN[type];
  for (const [key, operators] of Object.entries(wanted.failIf))
    set(values, key, shaped(operators, false, wanted.nowMs));
  const [first] = Object.keys(wanted.until);
  for (const [key, operators] of Object.entries(wanted.until)) {
    set(values, key, shaped(operators, wanted.met || key !== first, wanted.nowMs));
  }
  return values;
}

const PLAIN: Readonly<Record<ProbeSpec['values'][string]['type'], Json>> = {
  string: 'simulated',
  number: 1,
  boolean: true,
  object: {},
};

/** The key as it is written: a dotted one is looked up literally first. */
function set(values: Record<string, Json>, key: string, value: Json | undefined): void {
  if (value === undefined) delete values[key];
  else values[key] = value;
}

/** A value for which all of these comparisons hold, or none does; undefined: none at all. */
function shaped(operators: Condition[string], hold: boolean, nowMs: number): Json | undefined {
  let value: Json | undefined = 1_000;
  // Trends last: they move what the comparisons have chosen.
  for (const op of ORDER) {
    const want = operators[op];
    if (want !== undefined) value = MAKERS[op]({ want, hold, value, seconds: Math.floor(nowMs / 1_000) });
  }
  return value;
}

interface Shape {
  readonly want: Json;
  readonly hold: boolean;
  readonly value: Json | undefined;
  readonly seconds: number;
}

const ORDER: readonly Operator[] = [
  'present',
  'absent',
  'equals',
  'in',
  'atMost',
  'atLeast',
  'still',
  'rising',
  'changed',
];

const MAKERS: Readonly<Record<Operator, (shape: Shape) => Json | undefined>> = {
  present: ({ want, hold }) => (isYes(want) === hold ? 'there' : undefined),
  absent: ({ want, hold }) => (isYes(want) === hold ? undefined : 'there'),
  equals: ({ want, hold }) => (hold ? want : otherThan(want)),
  in: ({ want, hold }) => (hold && Array.isArray(want) ? want[0] : 'none of them'),
  atMost: ({ want, hold }) => (hold ? want : Number(want) + 1),
  atLeast: ({ want, hold }) => (hold ? want : Number(want) - 1),
  still: (shape) => moving({ ...shape, hold: !shape.hold }),
  rising: moving,
  changed: moving,
};

function moving({ want, hold, value, seconds }: Shape): Json | undefined {
  return isYes(want) === hold ? Number(value ?? 0) + seconds : value;
}

function otherThan(want: Json): Json {
  if (typeof want === 'number') return want + 1;
  return typeof want === 'boolean' ? !want : `not ${String(want)}`;
}

function isYes(want: Json): boolean {
  return want === true || want === 'true';
}
