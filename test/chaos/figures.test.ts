import type { LogEntry, RunEvent } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from './checks.ts';
import { report, resumedAfterMs } from './figures.ts';
import type { Struck } from './striker.ts';

const HELD: RunEvent = { type: 'Held', reasons: [] };
const CLOSED: RunEvent = { type: 'RunClosed' };

function run(...entries: [atMs: number, event: RunEvent][]): RunRecord {
  const logged = entries.map(
    ([atMs, event], index): LogEntry => ({
      v: 1,
      run: 'r-1',
      index,
      epoch: 1,
      previous: '',
      atMs,
      runMs: atMs,
      events: [event],
    }),
  );
  return { run: 'r-1', entries: logged, marks: [], done: [], actions: [], promised: [] };
}

const struck = (target: Struck['target']): Struck => ({ type: 'kill', target, atMs: 100, backAtMs: 150 });

describe('the time until runs go on', () => {
  it('begins when the victim is back, and the slowest run counts', () => {
    const runs = [run([90, CLOSED], [170, CLOSED]), run([90, CLOSED], [200, CLOSED])];
    expect(resumedAfterMs(struck('agent'), runs)).toBe(50);
  });

  it('begins with the strike when another one takes over', () => {
    expect(resumedAfterMs(struck('coordinator'), [run([90, CLOSED], [120, CLOSED], [300, CLOSED])])).toBe(20);
  });

  it('leaves out runs that were over, that had not begun, or that wait for a person', () => {
    const runs = [run([90, CLOSED]), run([160, CLOSED]), run([90, HELD], [400, CLOSED])];
    expect(resumedAfterMs(struck('agent'), runs)).toBeUndefined();
  });
});

it('a campaign is told in one line: kills, what was done twice, what was lost, what was held, and how soon runs went on', () => {
  const runs = [run([90, CLOSED], [170, CLOSED]), run([90, HELD], [400, CLOSED])];
  const violations = [{ law: 'twice' as const, what: 'r-1:a' }];
  const stopped: Struck = { ...struck('agent'), type: 'stop' };
  const [head, line] = report({ struck: [struck('agent'), stopped], runs, violations, typed: [], exits: [] });
  expect([head, line].map((text) => text?.split(/ {2,}/))).toEqual([
    ['kills and stops', 'runs', 'executed twice', 'outcomes lost', 'held', 'resumed after, median', 'worst'],
    ['', '2', '2', '1', '0', '1', '0.02 s', '0.02 s'],
  ]);
});
