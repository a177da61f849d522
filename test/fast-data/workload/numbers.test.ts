import { describe, expect, it } from 'vitest';
import { countPassed, repeatedBy } from './numbers.ts';

const read = (n: string, place: string) => ({ n, atMs: 0, place });

describe('what comes out', () => {
  it('is counted: lost, twice, or after a later one of its key', () => {
    const written = ['a/0', 'a/1', 'a/4', 'a/8'].map((n) => ({ n, atMs: 0 }));
    const view = ['a/8', 'a/4', 'a/0', 'a/8'].map((n) => ({ n, atMs: 0 }));
    expect(countPassed(written, view)).toEqual({
      written: 4,
      lost: ['a/1'],
      duplicated: ['a/8'],
      disordered: ['a/4', 'a/0'],
    });
  });

  it('twice was written or read again by the first one on its way that did so', () => {
    const updates = [
      ...[read('written/0', 'orders/0/3'), read('written/0', 'orders/0/4')],
      ...[read('read/0', 'orders/0/5'), read('read/0', 'orders/0/5')],
      ...[read('projected/0', 'orders/0/6'), read('viewed/0', 'orders/0/7')],
    ];
    const view = [
      ...['written/0', 'read/0', 'projected/0'].flatMap((n) => [
        read(n, 'projections/0/1'),
        read(n, 'projections/0/2'),
      ]),
      ...[read('viewed/0', 'projections/0/8'), read('viewed/0', 'projections/0/8')],
    ];
    const { duplicated } = countPassed([], view);
    expect(repeatedBy(duplicated, { updates, view })).toEqual({
      producers: ['written/0'],
      updater: ['read/0', 'projected/0'],
      view: ['viewed/0'],
    });
  });
});
