import type { Timing } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { clocksOf } from './clocks.ts';
import {
  AYSE,
  action,
  approval,
  BUSY,
  batches,
  gate,
  parallel,
  plan,
  point,
  serial,
  TestRun,
} from './testing/index.ts';

describe('gates and their time', () => {
  it('hold when they are not met in time, or roll back when they say so', () => {
    const holds = TestRun.start(plan([gate('g', 'h1', { timeoutMs: 10_000 })]));
    holds.pass(9_999);
    expect(holds.status).toBe('running');
    holds.pass(1);
    expect(holds.why).toEqual(['gate g']);
    const turns = TestRun.start(plan([gate('g', 'h1', { timeoutMs: 10_000, onTimeout: 'rollback' })]));
    turns.pass(10_000);
    expect(turns.status).toBe('rolled-back');
  });

  it('roll back at once when failIf is met, or hold when that is their wish', () => {
    const turns = TestRun.start(plan([action('a', 'h1'), gate('g', 'h1', { onTimeout: 'rollback' })]));
    turns.done('a', 'h1');
    turns.failIf('g', 'h1');
    expect(turns.commands).toEqual(['a@h1 undo 1']);
    expect(turns.state.undoReason?.code).toBe('SB-GATE-FAILED');
  });

  it('get more time from an operator while they wait', () => {
    const run = TestRun.start(plan([gate('g', 'h1', { timeoutMs: 10_000 })]));
    run.adjust('g', { timeoutMs: 30_000 });
    run.pass(29_999);
    expect(run.status).toBe('running');
    run.pass(1);
    expect(run.why).toEqual(['gate g']);
  });

  it('get more time on top of what they have: while they wait, when they have run out of it, and in every instance', () => {
    const run = TestRun.start(plan([gate('g[a]', 'h1', { timeoutMs: 10_000 }), gate('g[b]', 'h1')]));
    run.adjust('g[a]', { addTimeoutMs: 5_000 });
    run.pass(15_000);
    expect(run.why).toEqual(['gate g[a]']);
    run.adjust('g', { addTimeoutMs: 20_000 });
    run.resume();
    run.pass(34_999);
    expect(run.status).toBe('running');
    run.pass(1);
    expect(run.why).toEqual(['gate g[a]']);
    run.adjust('g', { timeoutMs: 1_000 });
    expect([...run.state.adjustments.values()].map(({ timeoutMs }) => timeoutMs)).toEqual([1_000, 1_000]);
  });

  it('are watched anew when an operator changes what they ask for, comparison by comparison', () => {
    const until = { lag: { atMost: 0, atLeast: 0 }, stage: { equals: 'oplog' } };
    const run = TestRun.start(plan([gate('g', 'h1', { until })]));
    const [first] = run.watches;
    run.adjust('g', { until: { lag: { atMost: 2 } } });
    const [watch] = run.effects('watch');
    expect(watch?.key).not.toBe(first);
    expect(watch?.spec.until).toEqual({ lag: { atMost: 2, atLeast: 0 }, stage: { equals: 'oplog' } });
    run.adjust('g', { until: { stage: { equals: 'any' } } });
    expect(run.effects('watch')[0]?.spec.until).toEqual({ lag: { atMost: 2, atLeast: 0 }, stage: { equals: 'any' } });
    expect(run.send({ type: 'gateMet', step: 'g', host: 'h1', values: {}, heldMs: 0, watch: first ?? '' })).toEqual([]);
    run.adjust('g', { timeoutMs: 900_000 });
    expect(run.effects('watch')[0]?.key).toBe('g@h1#1~2');
  });

  it('are adjusted by the written id in every instance, and nothing else is', () => {
    const run = TestRun.start(plan([gate('g[a]', 'h1'), gate('g[b]', 'h1'), action('a', 'h1')]));
    expect(run.adjust('g', { timeoutMs: 1 })).toEqual(['GateAdjusted', 'GateAdjusted']);
    expect(() => run.adjust('a', { timeoutMs: 1 })).toThrow('SB-RUN-NO-STEP');
  });
});

describe('run time', () => {
  it('does not move while nobody leads: a takeover extends deadlines and fires none', () => {
    const run = TestRun.start(plan([gate('g', 'h1', { timeoutMs: 10_000 })]));
    run.pass(9_000);
    run.atMs += 3_600_000;
    run.send({ type: 'lead', coordinator: 'c2', epoch: 2, nonce: 'n2' });
    run.pass(999);
    expect(run.status).toBe('running');
    run.pass(1);
    expect(run.status).toBe('held');
  });

  it('does the same thing once, however often the clock is looked at', () => {
    const run = TestRun.start(plan([gate('g', 'h1', { timeoutMs: 10_000 })]));
    expect(run.pass(10_000)).toEqual(['StepFailed', 'Held']);
    expect(run.pass(10_000)).toEqual([]);
  });
});

describe('the deadline of a group', () => {
  const timed = (timing: Timing, more: { skipped?: boolean } = {}) =>
    TestRun.start(
      plan([
        action('a', 'h1'),
        serial('cutover', [action('b', 'h1'), ...(more.skipped ? [action('c', 'h1', { only: 'undo' })] : [])], {
          timing,
        }),
        action('d', 'h1'),
      ]),
    );

  it('takes everything back when the run is not decided by then, also when the group has not begun', () => {
    const run = timed({ decideByMs: 1_060_000, onDeadline: 'rollback' });
    run.pass(59_999);
    expect(run.status).toBe('running');
    run.pass(1);
    expect(run.state.undoReason?.code).toBe('SB-DEADLINE');
    expect(run.status).toBe('compensating');
  });

  it('acts also while the run is paused or held: that is what it is for', () => {
    const run = timed({ decideByMs: 1_060_000, onDeadline: 'rollback' });
    run.done('a', 'h1');
    run.silent('h1');
    run.pass(60_000);
    expect(run.commands).toEqual(['b@h1 undo 1']);
  });

  it('holds by default, once', () => {
    const run = timed({ decideByMs: 1_060_000 });
    run.pass(60_000);
    expect(run.why).toEqual(['deadline cutover']);
    run.resume();
    run.pass(60_000);
    expect(run.status).toBe('running');
  });

  it('means nothing to a group that is over, whatever in it is passed only on the way back', () => {
    const run = timed({ decideByMs: 1_060_000, timeoutMs: 30_000, onDeadline: 'rollback' }, { skipped: true });
    run.done('a', 'h1');
    run.done('b', 'h1');
    run.pass(60_000);
    expect(run.status).toBe('running');
  });

  it('means nothing to a group whose point of no return has been crossed', () => {
    const timing: Timing = { decideByMs: 1_060_000, onDeadline: 'rollback' };
    const run = TestRun.start(plan([serial('cutover', [point('p'), action('a', 'h1')], { timing })]));
    run.voted();
    run.pass(60_000);
    expect(run.status).toBe('running');
  });

  it('counts a timeout from the first start in the group', () => {
    const run = timed({ timeoutMs: 30_000, onDeadline: 'rollback' });
    run.pass(50_000);
    run.done('a', 'h1');
    expect(run.effects('timer')).toContainEqual({ type: 'timer', runMs: 80_000 });
    run.pass(30_000);
    expect(run.status).toBe('compensating');
  });
});

describe('what the leader is to be woken for', () => {
  it('is no retry whose time has come while the run is paused: a tick would begin nothing, and be asked for again', () => {
    const retry = { attempts: 2, backoffMs: 5_000, retryOn: [] };
    const run = TestRun.start(plan([action('a', 'h1', { retry })]));
    run.failed('a', 'h1', BUSY);
    const [timer] = run.effects('timer');
    run.pause();
    expect(run.effects('timer')).toEqual([timer]);
    run.pass(10_000);
    run.send({ type: 'note', by: AYSE, text: 'still there' });
    expect(run.effects('timer')).toEqual([]);
    run.resume();
    expect(run.commands).toEqual(['a@h1 do 2']);
  });

  it('is no deadline of a group that is decided', () => {
    const timing: Timing = { timeoutMs: 30_000, decideByMs: 1_060_000 };
    const run = TestRun.start(plan([serial('cutover', [gate('g', 'h1')], { timing }), approval('go')]));
    const ends = [
      { type: 'timer', atMs: 1_060_000 },
      { type: 'timer', runMs: 30_000 },
    ];
    expect(run.effects('timer')).toEqual(expect.arrayContaining(ends));
    run.met('g', 'h1');
    expect(run.effects('timer')).toEqual([]);
  });

  it('is a deadline that passed before anybody looked', () => {
    const timing: Timing = { decideByMs: 1_060_000 };
    const run = TestRun.start(plan([serial('cutover', [action('a', 'h1')], { timing })]));
    run.atMs = 1_060_001;
    run.accepted('a', 'h1');
    expect(run.effects('timer')).toContainEqual({ type: 'timer', atMs: 1_060_000 });
  });
});

describe('downtime clocks', () => {
  const down = { name: 'down', from: 'stopped', to: 'back' };
  const reading = (run: TestRun) => {
    const [clock] = clocksOf(run.state, run.runMs);
    return { elapsedMs: clock?.elapsedMs, running: clock?.running };
  };
  const clocked = (budget: { budgetMs?: number; onBudget?: 'warn' | 'hold' | 'rollback' } = {}) =>
    TestRun.start(
      plan(
        [
          action('stopped', ['h1', 'h2'], { retry: { attempts: 2, backoffMs: 0, retryOn: [] } }),
          action('work', 'h1'),
          serial('back', [
            action('started', 'h1'),
            action('never', 'h1', { skip: 'when' }),
            gate('up', 'h1', { only: 'undo' }),
          ]),
          action('end', 'h1'),
        ],
        { downtime: [{ ...down, onBudget: 'warn', ...budget }] },
      ),
    );

  it('run from the first start of one step to the success of the other', () => {
    const run = clocked();
    run.pass(1_000);
    run.done('stopped', 'h1');
    run.failed('stopped', 'h2', BUSY);
    run.pass(1_000);
    run.done('stopped', 'h2');
    run.done('work', 'h1');
    run.pass(1_000);
    expect(reading(run)).toEqual({ elapsedMs: 3_000, running: true });
    run.done('started', 'h1');
    run.pass(5_000);
    expect(reading(run)).toEqual({ elapsedMs: 3_000, running: false });
  });

  it('have not begun while nothing was done', () => {
    const run = clocked();
    run.pause();
    run.withdrawn();
    expect(reading(run)).toEqual({ elapsedMs: undefined, running: false });
    run.resume();
    run.pass(1_000);
    for (const host of ['h1', 'h2']) run.refused('stopped', host);
    expect(run.status).toBe('rolled-back');
    expect(reading(run)).toEqual({ elapsedMs: undefined, running: false });
  });

  it('go on while it is undone, from the same beginning, and stop with the undo of the last host', () => {
    const run = clocked();
    run.done('stopped', 'h1');
    run.pass(1_000);
    run.refused('stopped', 'h2');
    run.pass(1_000);
    expect(run.commands).toEqual(['stopped@h1 undo 1']);
    expect(reading(run)).toEqual({ elapsedMs: 2_000, running: true });
    run.done('stopped', 'h1');
    expect(reading(run)).toEqual({ elapsedMs: 2_000, running: false });
  });

  it('go on while the run is paused, and stand still while nobody leads', () => {
    const run = clocked();
    run.accepted('stopped', 'h1');
    run.pause();
    run.pass(1_000);
    run.atMs += 60_000;
    expect(reading(run)).toEqual({ elapsedMs: 1_000, running: true });
  });

  it.each([
    ['warn', 'running'],
    ['hold', 'held'],
    ['rollback', 'compensating'],
  ] as const)('that pass their budget: %s', (onBudget, status) => {
    const run = clocked({ budgetMs: 10_000, onBudget });
    expect(run.effects('timer')).toContainEqual({ type: 'timer', runMs: 10_000 });
    expect(run.pass(10_000)).toContain('BudgetPassed');
    expect(run.status).toBe(status);
    expect(run.pass(10_000)).not.toContain('BudgetPassed');
  });
});

describe('a group whose time has not come', () => {
  it('does not hide that somebody is needed beside it', () => {
    const late = serial('late', [action('z', 'h3')], { timing: { notBeforeMs: 9_000_000_000 } });
    const make = (hosts: string[]) => [action('b', hosts)];
    const run = TestRun.start(plan([parallel('p', [batches('g', [['h1', 'h2']], { maxFailures: 1, make }), late])]));
    run.done('b', 'h2');
    run.failed('b', 'h1');
    run.failed('b', 'h1');
    expect(run.why).toEqual(['undo-failed b']);
  });

  it('does not stop the branch beside it', () => {
    const late = serial('late', [action('b', 'h1')], { timing: { notBeforeMs: 1_060_000 } });
    const run = TestRun.start(plan([parallel('p', [action('a', 'h1'), late])]));
    run.done('a', 'h1');
    expect(run.status).toBe('running');
    run.pass(60_000);
    expect(run.commands).toEqual(['b@h1 do 1']);
  });
});
