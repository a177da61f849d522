import { describe, expect, it } from 'vitest';
import { action, BROKE, plan, TestRun } from './testing/index.ts';

const one = (options = {}) => TestRun.start(plan([action('a', 'h1', options), action('b', 'h1')]));

describe('[I5] unknown', () => {
  it('[I11] is what a silent host leaves, and the run says so', () => {
    const run = one();
    expect(run.silent('h1')).toEqual(['HostSilent', 'StepUnknown', 'Held']);
    expect(run.state.reasons[0]?.failure.code).toBe('SB-AGENT-SILENT');
    expect(run.commands).toEqual([]);
    expect(run.effects('page')).toMatchObject([{ why: 'held' }]);
    expect(run.silent('h1')).toEqual([]);
    expect(run.send({ type: 'back', host: 'h1' })).toEqual(['HostBack']);
    expect(run.send({ type: 'back', host: 'h1' })).toEqual([]);
    expect(run.status).toBe('held');
  });

  it('is what a command without a report becomes when its time is over', () => {
    const run = one({ timeoutMs: 10_000 });
    run.accepted('a', 'h1');
    run.pass(60_000 + 10_000 + 4_999);
    expect(run.phase('a', 'h1')).toBe('dispatched');
    run.pass(1);
    expect(run.phase('a', 'h1')).toBe('unknown');
    expect(run.state.reasons[0]?.failure.code).toBe('SB-STEP-NO-REPORT');
  });

  it('is lifted by a late success, and the run goes on: no command needed', () => {
    const run = one();
    run.silent('h1');
    expect(run.done('a', 'h1')).toEqual(['StepSucceeded', 'HoldLifted', 'StepStarted']);
    expect(run.commands).toEqual(['b@h1 do 1']);
  });

  it('is lifted by a late failure, which rolls back as it would have done in time', () => {
    const run = one();
    run.silent('h1');
    run.failed('a', 'h1');
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });

  it('is lifted when its host withdraws it: a new attempt goes out', () => {
    const run = one();
    run.silent('h1');
    expect(run.effects('void')).toMatchObject([{ commands: ['book-1:a:h1:do:1'] }]);
    run.withdrawn();
    expect(run.status).toBe('running');
    expect(run.commands).toEqual(['a@h1 do 2']);
  });

  it('keeps what the host found before, when only that comes late', () => {
    const run = one();
    run.silent('h1');
    run.accepted('a', 'h1', { unit: 'active' });
    expect(run.status).toBe('held');
    expect(run.effects('void')).toEqual([]);
    run.abort();
    expect(run.effects('command')[0]?.work.receipt).toEqual({ unit: 'active' });
  });

  it('waits for all that is unknown before it goes on', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2']), action('b', 'h1')]));
    run.silent('h1');
    run.silent('h2');
    run.done('a', 'h1');
    expect(run.status).toBe('held');
    run.done('a', 'h2');
    expect(run.status).toBe('running');
  });

  it('does not lift a hold that has another reason', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2'])], { onFailure: 'hold' }));
    run.silent('h1');
    run.failed('a', 'h2');
    run.done('a', 'h1');
    expect(run.status).toBe('held');
  });

  it('leaves a paused run paused when it is lifted', () => {
    const run = one();
    run.accepted('a', 'h1');
    run.pause();
    run.silent('h1');
    expect(run.status).toBe('held');
    run.done('a', 'h1');
    expect(run.status).toBe('paused');
    expect(run.commands).toEqual([]);
    run.resume();
    expect(run.commands).toEqual(['b@h1 do 1']);
  });

  it('cannot be resumed or retried away, only resolved', () => {
    const run = one();
    run.silent('h1');
    expect(() => run.resume()).toThrow('SB-RUN-NEEDS-DECISION');
    expect(() => run.retry('a')).toThrow('SB-RUN-STATE');
    expect(() => run.skip('a')).toThrow('SB-RUN-STATE');
    run.resolve('a', 'succeeded');
    expect(run.commands).toEqual(['b@h1 do 1']);
  });

  it('resolved as not done, gets a new attempt; undo still looks when the run turns round', () => {
    const run = one();
    run.silent('h1');
    run.resolve('a', 'not-done');
    expect(run.commands).toEqual(['a@h1 do 2']);
    run.abort();
    run.withdrawn();
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });
});

describe('[I5] what the probe finds after a crash', () => {
  it('applied: it has succeeded, with the receipt that the agent kept', () => {
    const run = one();
    const outcome = { status: 'unknown', failure: BROKE, probed: 'applied', receipt: { path: '/b' } } as const;
    run.outcome('a', 'h1', outcome);
    expect(run.cell('a', 'h1')).toMatchObject({ phase: 'succeeded', via: 'probe', receipt: { path: '/b' } });
  });

  it('not applied: a new attempt, and after five of them a person', () => {
    const run = one();
    for (const attempt of [1, 2, 3, 4]) {
      expect(run.commands).toEqual([`a@h1 do ${attempt}`]);
      run.probed('a', 'h1', 'not-applied');
      run.pass(60_000);
    }
    run.probed('a', 'h1', 'not-applied');
    expect(run.why).toEqual(['unknown a']);
  });

  it('not applied, but irreversible: never a second time on a probe alone', () => {
    const run = one({ effect: 'irreversible' });
    run.probed('a', 'h1', 'not-applied');
    expect(run.why).toEqual(['unknown a']);
    expect(run.commands).toEqual([]);
  });

  it('not applied, after the run has turned round: there is nothing to undo', () => {
    const run = one();
    run.accepted('a', 'h1');
    run.abort();
    run.probed('a', 'h1', 'not-applied');
    expect(run.status).toBe('rolled-back');
  });

  it('partial: it has failed, and undo looks', () => {
    const run = one();
    run.probed('a', 'h1', 'partial');
    expect(run.state.undoReason?.code).toBe('SB-STEP-PARTIAL');
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });

  it.each(['in-progress', 'cannot-tell'] as const)('%s: held until more is known', (probed) => {
    const run = one();
    run.probed('a', 'h1', probed);
    expect(run.why).toEqual(['unknown a']);
    expect(run.probed('a', 'h1', probed)).toEqual([]);
    run.done('a', 'h1');
    expect(run.status).toBe('running');
  });

  it('decides for undo in the same way: applied is undone, the rest is tried again or held', () => {
    const back = () => {
      const run = one();
      run.failed('a', 'h1');
      return run;
    };
    const applied = back();
    applied.probed('a', 'h1', 'applied');
    expect(applied.status).toBe('rolled-back');
    for (const probed of ['not-applied', 'partial'] as const) {
      const again = back();
      again.probed('a', 'h1', probed);
      again.pass(60_000);
      expect(again.commands).toEqual(['a@h1 undo 2']);
    }
    for (const probed of ['in-progress', 'cannot-tell'] as const) {
      const held = back();
      held.probed('a', 'h1', probed);
      expect(held.why).toEqual(['unknown a']);
      held.done('a', 'h1');
      expect(held.status).toBe('rolled-back');
    }
  });
});

describe('a report that contradicts what was declared', () => {
  const declared = (as: 'succeeded' | 'not-done') => {
    const run = one();
    const first = run.present('a', 'h1');
    run.silent('h1');
    run.resolve('a', as);
    return { run, first };
  };

  it('holds the run once: done, but the host says that it failed', () => {
    const { run, first } = declared('succeeded');
    const report = { type: 'outcome', ...first, outcome: { status: 'failed', failure: BROKE }, durationMs: 1 } as const;
    expect(run.send(report)).toEqual(['Held']);
    expect(run.why).toEqual(['conflict a']);
    expect(run.state.reasons[0]?.failure.code).toBe('SB-REPORT-CONFLICT');
    run.resume();
    expect(run.status).toBe('running');
    expect(run.send(report)).toEqual([]);
  });

  it('holds the run: not done, but the host did it, while the next attempt is on its way', () => {
    const { run, first } = declared('not-done');
    run.accepted('a', 'h1');
    run.send({ type: 'outcome', ...first, outcome: { status: 'succeeded' }, durationMs: 1 });
    expect(run.why).toEqual(['conflict a']);
    run.done('a', 'h1');
    expect(run.status).toBe('held');
    expect(run.commands).toEqual([]);
  });

  it('holds the run: withdrawn by the host, and then done by it', () => {
    const run = one();
    const first = run.present('a', 'h1');
    run.pause();
    run.withdrawn();
    run.send({ type: 'outcome', ...first, outcome: { status: 'succeeded' }, durationMs: 1 });
    expect(run.why).toEqual(['conflict a']);
  });

  it('lets a person have the step done again, and what waits behind it waits for that', () => {
    const { run, first } = declared('succeeded');
    run.done('b', 'h1');
    const again = TestRun.start(plan([action('a', 'h1'), action('b', 'h1')]));
    again.silent('h1');
    again.resolve('a', 'succeeded');
    again.send({ type: 'outcome', ...first, outcome: { status: 'failed', failure: BROKE }, durationMs: 1 });
    again.retry('a');
    expect(again.phase('a', 'h1')).toBe('dispatched');
    expect(again.status).toBe('running');
  });

  it('on the way back: declared undone, but the host failed to; a person has it undone again', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2'])]));
    run.done('a', 'h1');
    run.failed('a', 'h2');
    const undo = run.present('a', 'h1');
    run.silent('h1');
    run.resolve('a', 'succeeded', 'h1');
    run.send({ type: 'outcome', ...undo, outcome: { status: 'failed', failure: BROKE }, durationMs: 1 });
    expect(run.why).toEqual(['conflict a']);
    run.retry('a', 'h1');
    expect(run.commands).toEqual(['a@h1 undo 2', 'a@h2 undo 1']);
  });

  it('is none when the host agrees; its receipt is taken', () => {
    const { run, first } = declared('succeeded');
    const outcome = { status: 'succeeded', receipt: { n: 1 } } as const;
    run.send({ type: 'outcome', ...first, outcome, durationMs: 1 });
    expect(run.status).toBe('running');
    expect(run.cell('a', 'h1')).toMatchObject({ phase: 'succeeded', via: 'report', receipt: { n: 1 } });
    expect(run.send({ type: 'outcome', ...first, outcome, durationMs: 1 })).toEqual([]);
  });

  it('is none when it says nothing: still unknown, begun, or refused as declared', () => {
    const { run, first } = declared('not-done');
    const outcome = { status: 'unknown', failure: BROKE, probed: 'cannot-tell' } as const;
    expect(run.send({ type: 'outcome', ...first, outcome, durationMs: 1 })).toEqual([]);
    expect(run.send({ type: 'accepted', ...first, before: {} })).toEqual([]);
    expect(run.send({ type: 'refused', ...first, failure: BROKE })).toEqual([]);
    expect(run.status).toBe('running');
  });

  it('is none when undo has overtaken the step whose outcome comes late', () => {
    const run = one();
    const first = run.present('a', 'h1');
    run.silent('h1');
    run.abort();
    expect(run.send({ type: 'outcome', ...first, outcome: { status: 'succeeded' }, durationMs: 1 })).toEqual([]);
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });
});
