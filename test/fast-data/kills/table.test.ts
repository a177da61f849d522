import { describe, expect, it } from 'vitest';
import { HEAD, has, print, type Row, read, summary } from './table.ts';

const row = (more: Partial<Row> = {}): Row => ({
  ...{ stage: 'kafka', step: 'still', victim: 'agent', outcome: 'completed', held: [] },
  ...{ written: 1_000, lost: 0, duplicated: 2, seconds: 41 },
  ...more,
});

describe('the table of a campaign', () => {
  it('is read as it was printed, so that a campaign goes on where it was ended', () => {
    const rows = [row(), row({ victim: 'coordinator', outcome: 'held', held: ['fence still[a] SB-X', 'unknown b'] })];
    const text = ['# Kills', '', ...HEAD, ...rows.map(print), '', 'A | B', ''].join('\n');
    expect(read(text)).toEqual(rows);
    expect(has(read(text), { stage: 'kafka', step: 'still', victim: 'coordinator' })).toBe(true);
    expect(has(read(text), { stage: 'kafka-4', step: 'still', victim: 'coordinator' })).toBe(false);
  });

  it('bears whatever a broken cell says', () => {
    const broken = row({ outcome: 'broken: a | b' });
    expect(read(print(broken))).toEqual([{ ...broken, outcome: 'broken: a / b' }]);
  });

  it('is summed up by stage', () => {
    expect(summary([row(), row({ outcome: 'rolled-back', held: ['fence still SB-X'], lost: 1 })])).toEqual([
      'kafka: 2 cells, 1 completed, 1 rolled-back; 1 asked a person; of 2000 written 1 lost, 4 duplicated',
    ]);
  });
});
