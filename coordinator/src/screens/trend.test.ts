import { describe, expect, it } from 'vitest';
import { forecast, trendOf } from './trend.ts';

const every = (seconds: number, values: readonly number[]) =>
  values.map((value, i) => ({ ageMs: (values.length - 1 - i) * seconds * 1_000, value }));
const atMost = (want: number, have: number) => ({ op: 'atMost', want, have }) as const;
const open = { forMs: 30_000, leftMs: 600_000 };

describe('trendOf', () => {
  it.each([
    [[12, 11, 9], 'falling', -0.15],
    [[1, 1, 2], 'rising', 0.05],
    [[5, 5, 5], 'steady', 0],
    [[5, 6, 4], 'unsteady', -0.05],
  ] as const)('%j is %s', (values, way, perSecond) => {
    expect(trendOf(every(10, values))).toEqual({ way, perSecond });
  });

  it('sees none in two samples, nor in samples of one moment', () => {
    expect(trendOf(every(10, [12, 6]))).toBeUndefined();
    expect(trendOf(every(0, [12, 11, 6]))).toBeUndefined();
  });
});

describe('forecast', () => {
  it('says when a falling value meets its bound, and that it must then hold', () => {
    expect(forecast(atMost(0, 42), trendOf(every(1, [48, 45, 42])), open)).toBe('falling 3/s, met in ~14s + 30s hold');
  });

  it('says that the timeout comes first', () => {
    const late = forecast(atMost(0, 42), trendOf(every(1, [44, 43, 42])), { forMs: 30_000, leftMs: 60_000 });
    expect(late).toBe('falling 1/s, met in ~42s + 30s hold, after the timeout in 1:00');
  });

  it.each([
    [[40, 41, 42], 'rising 1/s, no estimate because it is rising'],
    [[42, 42, 42], 'no estimate: it does not move'],
    [[42, 44, 42], 'no estimate: it goes up and down'],
  ])('is honest about %j', (values, said) => {
    expect(forecast(atMost(0, 42), trendOf(every(1, values)), open)).toBe(said);
  });

  it('says nothing of what is no bound', () => {
    expect(forecast({ op: 'equals', want: 1, have: 3 }, trendOf(every(1, [5, 4, 3])), open)).toBe('');
  });
});
