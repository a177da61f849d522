import { describe, expect, it } from 'vitest';
import { Cells } from './cells.ts';
import { HEAD, has, isGood, print, type Row, read, summary } from './table.ts';

const AT_STILL = { step: 'still', victim: 'agent' };
const AT_GO = { step: 'go', victim: 'source broker' };

const row = (more: Partial<Row> = {}): Row => ({
  ...{ stage: 'kafka', outcome: 'completed', held: [], killed: [AT_GO, AT_STILL] },
  ...{ written: 1_000, lost: 0, duplicated: 2, accepted: 26, seconds: 41 },
  ...more,
});

describe('the table of a campaign', () => {
  it('is read as it was printed, so that a campaign goes on where it was ended', () => {
    const rows = [row({ killed: [] }), row({ outcome: 'held', held: ['fence still[a] SB-X', 'unknown b'] })];
    const text = ['# Kills', '', ...HEAD, ...rows.map(print), '', 'A | B', ''].join('\n');
    expect(read(text)).toEqual(rows);
    expect(has(read(text), 'kafka', AT_GO)).toBe(true);
    expect(has(read(text), 'kafka-4', AT_GO)).toBe(false);
    expect(has(read(text), 'kafka', { ...AT_GO, victim: 'source' })).toBe(false);
  });

  it('bears whatever a broken run says', () => {
    const broken = row({ outcome: 'broken: a | b' });
    expect(read(print(broken))).toEqual([{ ...broken, outcome: 'broken: a / b' }]);
  });

  it('is summed up by stage', () => {
    expect(summary([row(), row({ outcome: 'rolled-back', held: ['fence still SB-X'], lost: 1 })])).toEqual([
      'kafka: 2 runs with 4 kills, 1 completed, 1 rolled-back; 1 asked a person; of 2000 written 1 lost, 4 duplicated, of at most 52',
    ]);
  });
});

describe('a row', () => {
  it('is good while nothing is lost, not more came twice than may, and the run came to an end that is known', () => {
    expect(['completed', 'rolled-back', 'held'].every((outcome) => isGood(row({ outcome })))).toBe(true);
    for (const worse of [{ outcome: 'stuck' }, { lost: 1 }, { duplicated: 27 }]) expect(isGood(row(worse))).toBe(false);
  });
});

describe('the kills of a campaign', () => {
  const choices = [
    { step: 'a', victims: ['x', 'y'] },
    { step: 'b', victims: ['x', 'y', 'z'] },
  ];
  const play = (cells: Cells, pass: number) => cells.steps.map((step) => `${step} ${cells.take(step, pass)}`);

  it('are one a step in each run, of somebody else each time, until everybody was killed everywhere', () => {
    const cells = new Cells(choices);
    expect(play(cells, 0)).toEqual(['a x', 'b y']);
    expect(play(cells, 1)).toEqual(['a y', 'b z']);
    expect(cells.left).toEqual([{ step: 'b', victim: 'x' }]);
    expect(play(cells, 2)).toEqual(['b x']);
    expect(cells.steps).toEqual([]);
    expect(cells.take('a', 3)).toBeUndefined();
  });

  it('are those that stand in no row yet', () => {
    const cells = new Cells(choices, ({ step, victim }) => step === 'b' && victim !== 'y');
    expect(play(cells, 0)).toEqual(['b z']);
    expect(play(cells, 1)).toEqual(['b x']);
  });
});
