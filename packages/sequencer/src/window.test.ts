import type { Plan, PlanStep } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { action, batches, gate, plan, point, TestRun } from './testing/index.ts';

describe('the window of a run', () => {
  // Wall clock and run time begin at 1,000,000 and 0.
  const windowed = (window: Plan['window'], steps: PlanStep[] = [action('a', 'h1'), action('b', 'h1')]) =>
    TestRun.start(plan(steps, { window }));

  it('has not come: nothing begins, nothing is held, and the run begins by itself', () => {
    const run = windowed({ notBeforeMs: 1_060_000 });
    expect(run.commands).toEqual([]);
    expect(run.status).toBe('running');
    expect(run.effects('timer')).toContainEqual({ type: 'timer', atMs: 1_060_000 });
    run.pass(59_000);
    expect(run.commands).toEqual([]);
    run.pass(1_000);
    expect(run.commands).toEqual(['a@h1 do 1']);
  });

  it('is over: what runs finishes, the next step is not begun, and the run is held for a person', () => {
    const run = windowed({ notAfterMs: 1_060_000 });
    expect(run.effects('timer')).toContainEqual({ type: 'timer', atMs: 1_060_000 });
    run.accepted('a', 'h1');
    expect(run.pass(60_000)).toEqual(['Held']);
    expect(run.state.reasons).toMatchObject([{ cause: 'deadline', failure: { code: 'SB-WINDOW-CLOSED' } }]);
    run.done('a', 'h1');
    expect(run.status).toBe('held');
    expect(run.commands).toEqual([]);
  });

  it('is over before anybody has ticked: what comes in then begins nothing', () => {
    const run = windowed({ notAfterMs: 1_060_000 });
    run.atMs = 1_060_000;
    run.done('a', 'h1');
    expect(run.status).toBe('held');
    expect(run.commands).toEqual([]);
  });

  it('is over: a person who resumes lets the run go on to its end', () => {
    const run = windowed({ notAfterMs: 1_060_000 });
    run.pass(60_000);
    run.done('a', 'h1');
    run.resume();
    expect(run.commands).toEqual(['b@h1 do 1']);
    run.pass(60_000);
    run.done('b', 'h1');
    expect(run.status).toBe('completed');
  });

  it('[I4] never stops a way back: neither one that goes on, nor one that begins when it is over', () => {
    const under = windowed({ notAfterMs: 1_060_000 });
    under.done('a', 'h1');
    under.abort();
    under.failed('b', 'h1');
    under.pass(60_000);
    expect(under.commands).toEqual(['b@h1 undo 1']);
    under.done('b', 'h1');
    expect(under.commands).toEqual(['a@h1 undo 1']);
    under.done('a', 'h1');
    expect(under.status).toBe('rolled-back');
    const after = windowed({ notAfterMs: 1_060_000 });
    after.accepted('a', 'h1');
    after.pass(60_000);
    // It was held only because of the window: a failure leads to what it would have led to inside of it.
    after.failed('a', 'h1');
    expect(after.commands).toEqual(['a@h1 undo 1']);
  });

  it('is over while a host is taken back inside its batch: that goes on, the next batch is not begun', () => {
    const make = (hosts: string[]) => [action('b', hosts)];
    const run = windowed({ notAfterMs: 1_060_000 }, [batches('g', [['h1', 'h2'], ['h3']], { maxFailures: 1, make })]);
    run.done('b', 'h2');
    run.failed('b', 'h1');
    run.pass(60_000);
    expect(run.commands).toEqual(['b@h1 undo 1']);
    run.done('b', 'h1');
    expect(run.state.dropped.has('h1')).toBe(true);
    expect(run.why).toEqual(['deadline']);
    expect(run.commands).toEqual([]);
  });

  it('[I3] is over with the votes on their way: no point of no return is crossed after it', () => {
    const run = windowed({ notAfterMs: 1_060_000 }, [gate('g', 'h1'), point('go', ['g']), action('b', 'h1')]);
    run.met('g', 'h1');
    run.atMs = 1_060_000;
    run.voted();
    expect(run.state.crossed).toEqual([]);
    expect(run.status).toBe('held');
  });
});
