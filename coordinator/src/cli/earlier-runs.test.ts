import type { LogEntry, RunEvent } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { coordinatorError } from '../daemon/codes.ts';
import { begunLog, commandWork, cutoverPlan } from '../screens/testing/cutover.ts';
import type { MeshClient } from './client.ts';
import { earlierTimes, earlierUndos } from './earlier-runs.ts';

const REASON = { code: 'SB-ABORTED', class: 'terminal', message: 'ayse: wrong night', next: '-' } as const;

/** The log of a run that moved its readers and took that back, the undo of each in `tookMs`. */
function takenBack(tookMs: number): LogEntry[] {
  const log = begunLog().add(900, { type: 'UndoStarted', reason: REASON });
  for (const item of ['export', 'lite', 'crud']) {
    const id = { step: `readers-moved[${item}]`, host: 'kube-1', direction: 'undo', attempt: 1 } as const;
    const done: RunEvent = { type: 'StepSucceeded', ...id, via: 'report', durationMs: tookMs };
    log.add(910, { type: 'StepStarted', ...id, work: commandWork(id.step) }, done);
  }
  return log.entries;
}

/** A mesh with these runs of the cutover in it, oldest first; what a run has no log of is gone. */
function meshOf(runs: readonly { status: string; log?: LogEntry[]; runbook?: string }[]): MeshClient {
  const ask = async (verb: string, body: { run?: string }) => {
    if (verb === 'runs') {
      return {
        runs: runs.map(({ status, runbook = 'mongodb-cutover' }, i) => ({
          run: `r-${i}`,
          runbook,
          status,
          createdAtMs: i,
        })),
      };
    }
    const log = runs[Number(body.run?.slice(2))]?.log;
    if (!log) throw coordinatorError('SB-COORD-NO-RUN', 'gone');
    return { plan: JSON.stringify(cutoverPlan), entries: log, more: false };
  };
  return { ask } as unknown as MeshClient;
}

describe('what earlier runs took', () => {
  it('for their undos is told by the newest that were taken back, the middle one of what they say', async () => {
    const mesh = meshOf([
      { status: 'rolled-back', log: takenBack(90_000) },
      { status: 'rolled-back', log: takenBack(7_000) },
      { status: 'rolled-back' },
      { status: 'rolled-back', log: takenBack(5_000) },
      { status: 'completed', log: begunLog().entries },
      { status: 'rolled-back', runbook: 'another', log: takenBack(1) },
    ]);
    expect(await earlierUndos(mesh, 'mongodb-cutover')).toEqual(new Map([['readers-moved', 7_000]]));
    expect(await earlierUndos(mesh, 'nothing')).toEqual(new Map());
  });

  it('on the way forward is told by those that completed', async () => {
    const mesh = meshOf([{ status: 'completed', log: begunLog().entries }]);
    const { steps, clocks } = await earlierTimes(mesh, 'mongodb-cutover');
    expect(steps.get('readers-moved')).toBe(30_000);
    // Nobody stopped a writer in that run.
    expect(clocks).toEqual(new Map());
  });
});
