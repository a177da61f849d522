import { describe, expect, it } from 'vitest';
import { AYSE, action, BROKE, BUSY, plan, TestRun } from './testing/index.ts';

const one = (options = {}) => TestRun.start(plan([action('a', 'h1', options), action('b', 'h1')]));

describe('reports', () => {
  it('stop a command from being asked for once its host has it', () => {
    const run = one();
    expect(run.commands).toEqual(['a@h1 do 1']);
    run.accepted('a', 'h1');
    expect(run.commands).toEqual([]);
  });

  it('[I1] change nothing when they come twice, late, out of order or from nowhere', () => {
    const run = one();
    const first = run.present('a', 'h1');
    run.done('a', 'h1');
    const outcome = { status: 'failed', failure: BROKE } as const;
    expect(run.send({ type: 'outcome', ...first, outcome, durationMs: 1 })).toEqual([]);
    expect(run.send({ type: 'accepted', ...first, before: {} })).toEqual([]);
    expect(run.send({ type: 'refused', ...first, failure: BROKE })).toEqual([]);
    expect(run.send({ type: 'outcome', ...first, step: 'nowhere', outcome, durationMs: 1 })).toEqual([]);
    expect(run.status).toBe('running');
  });

  it.each([{ attempt: 9 }, { direction: 'undo' as const }])(
    '[I8] of a try that the log has never asked for (%o) hold the run: the log has lost its end',
    (strange) => {
      const run = one();
      run.done('a', 'h1');
      const outcome = { status: 'succeeded' } as const;
      const report = { type: 'outcome', ...run.present('b', 'h1'), ...strange, outcome, durationMs: 1 } as const;
      expect(run.send(report)).toEqual(['Held']);
      expect(run.state.reasons).toMatchObject([{ cause: 'conflict', failure: { code: 'SB-RUN-CONTRADICTED' } }]);
      expect(run.send(report)).toEqual([]);
      // A person has compared the two: the host answers such a try from its journal, should it be asked for.
      run.send({ type: 'resume', by: AYSE, note: 'compared' });
      run.done('b', 'h1');
      expect(run.status).toBe('completed');
    },
  );

  it('cannot withdraw what has begun', () => {
    const run = one();
    run.accepted('a', 'h1');
    expect(run.send({ type: 'withdrawn', commands: ['book-1:a:h1:do:1'] })).toEqual([]);
    expect(run.phase('a', 'h1')).toBe('dispatched');
  });

  it('of an old attempt say nothing of the present one', () => {
    const run = one({ retry: { attempts: 2, backoffMs: 0, retryOn: [] } });
    const first = run.present('a', 'h1');
    run.failed('a', 'h1', BUSY);
    expect(run.send({ type: 'outcome', ...first, outcome: { status: 'succeeded' }, durationMs: 1 })).toEqual([]);
    expect(run.commands).toEqual(['a@h1 do 2']);
  });

  it('keep what the first attempt found before, over a retry', () => {
    const run = one({ retry: { attempts: 2, backoffMs: 0, retryOn: [] } });
    run.accepted('a', 'h1', { replicas: 3 });
    run.failed('a', 'h1', BUSY);
    run.accepted('a', 'h1', { replicas: 1 });
    expect(run.cell('a', 'h1').before).toEqual({ replicas: 3 });
  });
});

describe('retry by policy', () => {
  it('waits longer each time, half of it by chance, and gives up after its attempts', () => {
    const run = one({ retry: { attempts: 3, backoffMs: 1_000, retryOn: [] } });
    run.failed('a', 'h1', BUSY);
    expect(run.commands).toEqual([]);
    run.pass(499);
    expect(run.commands).toEqual([]);
    run.pass(1);
    expect(run.commands).toEqual(['a@h1 do 2']);
    run.random = 0.5;
    run.failed('a', 'h1', BUSY);
    expect(run.effects('timer')).toContainEqual({ type: 'timer', runMs: 500 + 1_500 });
    run.pass(1_500);
    expect(run.commands).toEqual(['a@h1 do 3']);
    run.failed('a', 'h1', BUSY);
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });

  it('is for retryable failures, and for named codes only when codes are named', () => {
    const named = { retry: { attempts: 3, backoffMs: 0, retryOn: ['SB-OTHER'] } };
    const some = one(named);
    some.failed('a', 'h1', BUSY);
    expect(some.status).toBe('compensating');
    const terminal = one({ retry: { attempts: 3, backoffMs: 0, retryOn: [] } });
    terminal.failed('a', 'h1', BROKE);
    expect(terminal.status).toBe('compensating');
  });
});

describe('refused because the host knows the id for something else [I1]', () => {
  it('holds the run: nobody knows what was done under it, until an operator says so', () => {
    const run = TestRun.start(plan([action('a', 'h1'), action('b', 'h1')]));
    run.refused('a', 'h1', { ...BROKE, code: 'SB-AGENT-ID-CONFLICT', class: 'unknown' });
    expect(run.status).toBe('held');
    expect(run.phase('a', 'h1')).toBe('unknown');
    expect(run.state.reasons).toMatchObject([{ cause: 'conflict', step: 'a', host: 'h1' }]);
    run.resolve('a', 'succeeded', 'h1');
    expect(run.status).toBe('running');
    expect(run.commands).toEqual(['b@h1 do 1']);
  });
});

describe('refused: proven not done', () => {
  it('is tried again when it may pass, up to a bound, and repeats nothing', () => {
    const run = one();
    for (const attempt of [1, 2, 3, 4]) {
      expect(run.commands).toEqual([`a@h1 do ${attempt}`]);
      run.refused('a', 'h1', BUSY);
      run.pass(60_000);
    }
    run.refused('a', 'h1', BUSY);
    expect(run.status).toBe('rolled-back');
  });

  it('needs no undo', () => {
    const run = one();
    run.refused('a', 'h1');
    expect(run.status).toBe('rolled-back');
  });

  it('is asked again by resume when the run was held for it: there is nothing to decide', () => {
    const run = TestRun.start(plan([action('a', 'h1')], { onFailure: 'hold' }));
    for (let attempt = 1; attempt <= 5; attempt++) {
      run.refused('a', 'h1', BUSY);
      run.pass(60_000);
    }
    expect(run.why).toEqual(['failed a']);
    run.resume();
    expect(run.commands).toEqual(['a@h1 do 6']);
  });
});
