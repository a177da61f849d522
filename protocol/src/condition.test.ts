import { describe, expect, it } from 'vitest';
import { type Condition, holds, judge, type Sample, valueAt } from './condition.ts';
import type { Json } from './json.ts';

const samples = (...values: Record<string, Json>[]): Sample[] => values.map((v, i) => ({ atMs: i * 1_000, values: v }));

describe('conditions', () => {
  it.each<[string, Condition, Json, boolean]>([
    ['equals', { x: { equals: 0 } }, 0, true],
    ['equals across types of one quantity', { x: { equals: 5 } }, '5', true],
    ['equals does not take text for a number', { x: { equals: 0 } }, '', false],
    ['in', { x: { in: ['a', 'b'] } }, 'b', true],
    ['atMost', { x: { atMost: 10 } }, 10, true],
    ['atMost, absent', { x: { atMost: 10 } }, null, false],
    ['atLeast beyond 2^53', { x: { atLeast: '9007199254740993' } }, '9007199254740992', false],
    ['absent', { x: { absent: true } }, '', true],
    ['present', { x: { present: true } }, null, false],
  ])('%s', (_, condition, value, expected) => {
    expect(holds(condition, samples({ x: value }))).toBe(expected);
  });

  it('hold of nothing when there is no sample [I11]', () => {
    expect(holds({ x: { absent: true } }, [])).toBe(false);
  });

  it.each<[string, Condition, number[], boolean, boolean]>([
    ['rising needs two samples', { x: { rising: true } }, [1], false, false],
    ['rising', { x: { rising: true } }, [1, 1, 2], true, false],
    ['rising, not yet', { x: { rising: true } }, [1, 1], false, false],
    ['rising broken by a fall', { x: { rising: true } }, [1, 3, 2], false, true],
    ['still', { x: { still: true } }, [4, 4], true, false],
    ['still broken', { x: { still: true } }, [4, 5, 4], false, true],
    ['changed', { x: { changed: true } }, [4, 5], true, false],
  ])('%s', (_, condition, values, expected, breaks) => {
    const [verdict] = judge(condition, samples(...values.map((x) => ({ x }))));
    expect([verdict?.holds, verdict?.breaks]).toEqual([expected, breaks]);
  });

  it('read dotted paths, the literal key first', () => {
    expect(valueAt({ 'a.b': 1, a: { b: 2 } }, 'a.b')).toBe(1);
    expect(valueAt({ a: { b: 2 } }, 'a.b')).toBe(2);
    expect(valueAt({ a: 1 }, 'a.b')).toBeUndefined();
  });
});
