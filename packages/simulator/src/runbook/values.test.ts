import { type Condition, holds, type Json, judge, type Sample } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { valuesFor } from './values.ts';

const spec = { values: { height: { type: 'number', help: '' }, state: { type: 'string', help: '' } } } as const;

function windowOf(conditions: { until?: Condition; failIf?: Condition }, met: boolean): Sample[] {
  const { until = {}, failIf = {} } = conditions;
  return [0, 5_000, 10_000].map((atMs) => ({ atMs, values: valuesFor(spec, { until, failIf, met, nowMs: atMs }) }));
}

const CONDITIONS: Condition[] = [
  { state: { equals: 'oplog sync' } },
  { state: { equals: 0 } },
  { state: { equals: false } },
  { state: { in: ['inactive', 'failed'] } },
  { lag: { atMost: 10 } },
  { peers: { atLeast: 3 } },
  { height: { atLeast: '9007199254740993' } },
  { height: { rising: true } },
  { height: { rising: true, atLeast: 1_204 } },
  { restarts: { still: true } },
  { state: { changed: true } },
  { errorMessage: { absent: true } },
  { errorMessage: { present: true } },
  { 'a.b': { equals: 5 }, height: { rising: true }, state: { in: ['x'] } },
];

describe('invented samples', () => {
  it.each(CONDITIONS.map((until) => [JSON.stringify(until), until] as const))(
    'meet %s, and do not when told so',
    (_, until) => {
      expect(holds(until, windowOf({ until }, true))).toBe(true);
      expect(holds(until, windowOf({ until }, false))).toBe(false);
    },
  );

  it.each(CONDITIONS.map((failIf) => [JSON.stringify(failIf), failIf] as const))(
    'never do what failIf %s looks for',
    (_, failIf) => {
      for (const met of [true, false])
        expect(judge(failIf, windowOf({ failIf }, met)).some((j) => j.holds)).toBe(false);
    },
  );

  it('have a value of its type for whatever the probe documents', () => {
    const values: Record<string, Json> = valuesFor(spec, { until: {}, failIf: {}, met: true, nowMs: 0 });
    expect(values).toEqual({ height: 1, state: 'simulated' });
  });
});
