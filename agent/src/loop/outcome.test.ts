import type { Applied, Effect, Failure } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { type End, needsProbe, outcomeAfterCrash, outcomeOf } from './outcome.ts';

const failure = (kind: Failure['class']): Failure => ({ code: 'X', class: kind, message: 'm', next: 'n' });
const threw = (kind: Failure['class']): End => ({ type: 'threw', failure: failure(kind) });
const stopped = (settled = true): End => ({ type: 'stopped', failure: failure('retryable'), settled });

describe('[I5] an end', () => {
  it.each([
    [threw('terminal'), undefined, 'reversible', 'failed'],
    [threw('retryable'), undefined, 'irreversible', 'failed'],
    [threw('unknown'), 'applied', 'irreversible', 'succeeded'],
    [threw('unknown'), 'not-applied', 'irreversible', 'failed'],
    [threw('unknown'), 'cannot-tell', 'reversible', 'unknown'],
    [threw('unknown'), undefined, 'reversible', 'unknown'],
    [stopped(), 'applied', 'reversible', 'succeeded'],
    [stopped(), 'partial', 'reversible', 'failed'],
    [stopped(), 'in-progress', 'read', 'unknown'],
    [stopped(), 'cannot-tell', 'reversible', 'failed'],
    [stopped(), 'cannot-tell', 'irreversible', 'unknown'],
    [stopped(false), 'not-applied', 'reversible', 'unknown'],
  ] as [End, Applied | undefined, Effect, string][])('%j, probed %s, %s: %s', (end, probed, effect, status) => {
    const outcome = outcomeOf(end, { receipt: { was: 1 }, direction: 'do', effect, probed });
    expect(outcome).toMatchObject({ status, receipt: { was: 1 } });
    expect(needsProbe(end)).toBe(end.type === 'stopped' || failureClass(end) === 'unknown');
  });

  it('that returned adds to the before-receipt', () => {
    const end: End = { type: 'returned', receipt: { made: 2 } };
    expect(outcomeOf(end, { receipt: { was: 1 }, direction: 'do', effect: 'reversible', probed: undefined })).toEqual({
      status: 'succeeded',
      receipt: { was: 1, made: 2 },
    });
  });

  it.each(['not-applied', 'partial', 'in-progress', 'cannot-tell'] as const)(
    'after a crash, %s is unknown',
    (probed) => {
      const after = outcomeAfterCrash(probed, { receipt: {}, failure: failure('unknown') });
      expect(after).toMatchObject({ status: 'unknown', probed });
    },
  );
});

function failureClass(end: End): string {
  return end.type === 'returned' ? 'none' : end.failure.class;
}
