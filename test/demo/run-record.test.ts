import type { LogEntry, RunEvent } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { paintFor } from './paint.ts';
import { RunRecord } from './run-record.ts';
import { tellEntry } from './story.ts';

const by = { name: 'ayse', key: 'U' };
const work = { kind: 'command', action: 'systemd.stop', version: 1, with: {}, notAfterMs: 0, timeoutMs: 0 } as const;
const stop = { step: 'node-stopped', host: 'node-1', attempt: 1 } as const;

function record(...entries: RunEvent[][]): RunRecord {
  const run = new RunRecord('up-1');
  for (const [i, events] of entries.entries()) run.add({ atMs: i * 1000, events });
  return run;
}

const started = (direction: 'do' | 'undo'): RunEvent => ({
  type: 'StepStarted',
  ...stop,
  direction,
  work: { ...work, id: `up-1:node-stopped:node-1:${direction}:1` },
});

describe('the demo’s record of a run', () => {
  it('counts each accepted command once, both ways, and no gate', () => {
    const run = record(
      [{ type: 'RunCreated', mesh: 'demo', runbook: 'up', planHash: 'abc', by }, started('do')],
      [{ type: 'StepAccepted', ...stop, direction: 'do' }],
      [{ type: 'StepSucceeded', ...stop, direction: 'do', via: 'report', durationMs: 5 }],
      [{ type: 'StepSucceeded', step: 'moves', host: 'node-1', attempt: 1, direction: 'do', via: 'sample' }],
      [started('undo'), { type: 'StepSucceeded', ...stop, direction: 'undo', via: 'report' }],
      [{ type: 'Ended', outcome: 'rolled-back', leftovers: [] }],
    );
    expect([...run.accepted]).toEqual(['up-1:node-stopped:node-1:do:1', 'up-1:node-stopped:node-1:undo:1']);
    expect(run.steps).toEqual([
      { id: 'node-stopped', host: 'node-1', outcome: 'compensated' },
      { id: 'moves', host: 'node-1', outcome: 'succeeded' },
    ]);
    expect(run).toMatchObject({ undone: 1, outcome: 'rolled-back', durationMs: 5000, runbook: 'up' });
  });

  it('does not count a command that was refused: nothing ran on the host', () => {
    const failure = { code: 'X', class: 'terminal', message: 'no', next: 'none' } as const;
    const run = record([started('do')], [{ type: 'StepFailed', ...stop, direction: 'do', failure, unapplied: true }]);
    expect(run.accepted.size).toBe(0);
    expect(run.steps[0]?.outcome).toBe('failed');
  });
});

describe('the demo’s story', () => {
  const tell = (event: RunEvent) => tellEntry({ events: [event] } as Pick<LogEntry, 'events'>, paintFor({}));

  it('is plain text where there is no terminal, and silent about what nobody need know', () => {
    expect(tell({ type: 'StepSucceeded', ...stop, direction: 'do', via: 'report', durationMs: 1234 })).toEqual([
      '✓ node-stopped         node-1   1.2s',
    ]);
    expect(tell({ type: 'StepAccepted', ...stop, direction: 'do' })).toEqual([]);
    expect(tell({ type: 'Led', coordinator: 'c', epoch: 1, nonce: 'n' })).toEqual([]);
    expect(tell({ type: 'Led', coordinator: 'c', epoch: 2, nonce: 'n' })).toEqual([
      'coordinator c leads again, epoch 2',
    ]);
  });
});
