import { describe, expect, it } from 'vitest';
import { foldRows } from './fold.ts';
import type { Row } from './row.ts';

function rows(...said: readonly (readonly [Row['stage'], string, Partial<Row>?])[]): Row[] {
  return said.map(([stage, word, more], i) => ({
    number: i + 1,
    kind: 'action',
    name: `s${i + 1}`,
    where: '',
    stage,
    word,
    detail: '',
    timing: '',
    endedAtMs: undefined,
    fence: undefined,
    gates: [],
    ...more,
  }));
}

function told(list: readonly Row[]): string[] {
  return foldRows(list).map((shown) =>
    'fold' in shown
      ? `${shown.fold.from}-${shown.fold.to} ${shown.fold.word}`
      : `${shown.row.number} ${shown.row.word}`,
  );
}

describe('folding', () => {
  it('keeps the last deed, what stands after it, what is under way and the next steps', () => {
    const list = rows(
      ['done', 'done'],
      ['done', 'FENCE ok', { fence: 'standing' }],
      ['untouched', 'way back'],
      ['done', 'done'],
      ['done', 'FENCE ok', { fence: 'standing' }],
      ['active', 'WAITING'],
      ...Array.from({ length: 7 }, () => ['ahead', 'next'] as const),
    );
    expect(told(list)).toEqual([
      '1-3 done',
      '4 done',
      '5 FENCE ok',
      '6 WAITING',
      '7 next',
      '8 next',
      '9 next',
      '10 next',
      '11-13 later',
    ]);
  });

  it('shows steps ahead up to the next point of no return', () => {
    const list = rows(
      ['active', 'RUNNING'],
      ['ahead', 'next'],
      ['ahead', 'next', { kind: 'pointOfNoReturn' }],
      ['ahead', 'next'],
      ['ahead', 'next'],
    );
    expect(told(list)).toEqual(['1 RUNNING', '2 next', '3 next', '4-5 later']);
  });

  it('never folds what is wrong', () => {
    expect(told(rows(['bad', 'UNKNOWN'], ['bad', 'FAILED'], ['part', '1 of 3'], ['bad', 'FAILED']))).toHaveLength(4);
  });

  it('on the way back tells what was never begun from what only needs no undo', () => {
    const list = rows(
      ['to-undo', 'to undo'],
      ['untouched', '-'],
      ['to-undo', 'to undo'],
      ['active', 'UNDOING'],
      ['undone', 'undone'],
      ['undone', 'undone'],
      ['undone', 'undone'],
      ['untouched', '-'],
      ['untouched', 'not begun'],
      ['untouched', 'not begun'],
    );
    expect(told(list)).toEqual(['1-3 to undo', '4 UNDOING', '5 undone', '6-8 undone', '9-10 not begun']);
  });
});
