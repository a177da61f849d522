import { describe, expect, it } from 'vitest';
import { runModel } from './model.ts';
import { rehearseUndo } from './rehearse.ts';
import { clockLine, headLine, nextLines } from './status-lines.ts';
import { begunLog, commandWork } from './testing/cutover.ts';
import { undoSummary } from './undo-lines.ts';
import { undoTimeOf } from './undo-time.ts';

/** Readers are moved; the first writer is being stopped, which nobody has timed. */
const stopping = () =>
  begunLog().add(1_000, {
    type: 'StepStarted',
    step: 'writers-stopped[rtu]',
    host: 'kube-1',
    direction: 'do',
    attempt: 1,
    work: commandWork('writers-stopped[rtu]'),
  });
const summaryOf = (input: ReturnType<ReturnType<typeof stopping>['input']>) => {
  const rehearsal = rehearseUndo(input.state, { times: input.undoTimes });
  return 'refused' in rehearsal ? rehearsal.refused.message : undoSummary(rehearsal);
};

describe('how long the way back takes', () => {
  it('is what doing it took, and is not made up for a step that was never timed', () => {
    const input = stopping().input(1_010);
    expect(undoTimeOf(input.state)).toEqual({ undos: 5, ms: 94_000, untimed: 1 });
    expect(headLine(runModel(input))).toContain('REVERSIBLE: undo takes ~1m34s and 1 that was never timed');
    expect(summaryOf(input)).toBe('5 undos, ~1m34s and 1 that was never timed');
    // Until when an abort would still be over in time is nobody's to say then.
    expect(clockLine(runModel(input))).toBe('writes down 0:10 of 10:00   decide by 04:30 (2:13:10 left)');
  });

  it('is what undoing it took in earlier runs, where there were any', () => {
    const undoTimes = new Map([
      ['readers-moved', 5_000],
      ['writers-stopped', 60_000],
    ]);
    const input = { ...stopping().input(1_010), undoTimes };
    expect(headLine(runModel(input))).toContain('REVERSIBLE: undo takes ~1m19s');
    expect(clockLine(runModel(input))).toContain('last safe abort 04:28');
    expect(summaryOf(input)).toBe('5 undos, ~1m19s');
  });

  it('is said to be unknown while nothing of it was ever timed', () => {
    const input = stopping().input(1_010);
    const cells = input.state.cells.map((cell) => ({ ...cell, durationMs: undefined }));
    const untimed = { ...input, state: { ...input.state, cells } };
    expect(headLine(runModel(untimed))).toContain('   REVERSIBLE: undo was never timed   ');
    expect(summaryOf(untimed)).toBe('5 undos, never timed');
  });

  it('is said of a run that is over, which a new run can take back as long as nothing was crossed', () => {
    const over = stopping().add(1_020, { type: 'Ended', outcome: 'aborted', leftovers: [] }).input(1_021);
    expect(headLine(runModel(over))).toContain('ABORTED   REVERSIBLE by a new run: undo takes ~1m34s and 1 that');
    expect(nextLines(runModel(over))).toEqual([
      'it is over: signalbox report mongodb-cutover-3',
      'signalbox undo mongodb-cutover-3 takes what 5 steps did on their hosts back with a new run',
    ]);
    const sealed = runModel({ ...over, state: { ...over.state, crossed: ['no-way-back'] } });
    expect(headLine(sealed)).toContain('ABORTED   NOT REVERSIBLE since no-way-back');
    expect(nextLines(sealed)).toHaveLength(1);
  });
});
