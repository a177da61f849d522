import { describe, expect, it } from 'vitest';
import { AYSE, action, BUSY, gate, manual, parallel, plan, record, serial, TestRun } from './testing/index.ts';

describe('the way back', () => {
  it('[I4] undoes what was applied in reverse order, the failed step included', () => {
    const run = TestRun.start(plan([action('a', 'h1'), action('b', ['h1', 'h2']), action('c', 'h1')]));
    run.done('a', 'h1');
    run.done('b', 'h1');
    run.failed('b', 'h2');
    expect(run.status).toBe('compensating');
    expect(run.commands).toEqual(['b@h1 undo 1', 'b@h2 undo 1']);
    run.done('b', 'h1');
    expect(run.commands).toEqual(['b@h2 undo 1']);
    run.done('b', 'h2');
    run.done('a', 'h1');
    expect(run.status).toBe('rolled-back');
    expect(run.leftovers).toEqual([]);
  });

  it('[I4] waits for the end of what still runs, and undoes that as well', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2'])]));
    run.accepted('a', 'h2');
    run.failed('a', 'h1');
    expect(run.commands).toEqual(['a@h1 undo 1']);
    run.done('a', 'h1');
    expect(run.status).toBe('compensating');
    run.done('a', 'h2');
    expect(run.commands).toEqual(['a@h2 undo 1']);
  });

  it('does not end while anything still runs, also what needs no undo', () => {
    const run = TestRun.start(plan([action('look', 'h1', { effect: 'read', reversible: false })]));
    run.accepted('look', 'h1');
    run.abort();
    expect(run.status).toBe('compensating');
    run.done('look', 'h1');
    expect(run.status).toBe('rolled-back');
  });

  it('withdraws what its host has not begun; withdrawn means that there is nothing to undo', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    run.abort();
    expect(run.effects('void')).toMatchObject([{ host: 'h1', commands: ['book-1:a:h1:do:1'] }]);
    run.withdrawn();
    expect(run.status).toBe('rolled-back');
  });

  it('[I4] undoes a first attempt that failed, also when the second was withdrawn or refused before it began', () => {
    for (const end of ['withdrawn', 'refused'] as const) {
      const run = TestRun.start(plan([action('a', 'h1', { retry: { attempts: 3, backoffMs: 0, retryOn: [] } })]));
      run.failed('a', 'h1', BUSY);
      expect(run.commands).toEqual(['a@h1 do 2']);
      run.abort();
      if (end === 'withdrawn') run.withdrawn();
      else run.refused('a', 'h1');
      expect(run.commands, end).toEqual(['a@h1 undo 1']);
    }
  });

  it('[I4] undoes a failed step that an operator has skipped', () => {
    const run = TestRun.start(plan([action('a', 'h1'), action('b', 'h1')], { onFailure: 'hold' }));
    run.failed('a', 'h1');
    run.skip('a');
    expect(run.commands).toEqual(['b@h1 do 1']);
    run.abort();
    run.withdrawn();
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });

  it('gives undo what its host found before and what the step returned', () => {
    const run = TestRun.start(plan([action('a', 'h1'), action('b', 'h1')]));
    run.accepted('a', 'h1', { replicas: 3, unit: 'x' });
    run.done('a', 'h1', { replicas: 0 });
    run.failed('b', 'h1');
    run.done('b', 'h1');
    expect(run.effects('command')[0]?.work.receipt).toEqual({ replicas: 0, unit: 'x' });
  });

  it('[I4] sends the undo of an outcome that is unknown', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    run.accepted('a', 'h1', { unit: 'active' });
    run.silent('h1');
    expect(run.why).toEqual(['unknown a']);
    run.abort();
    expect(run.commands).toEqual(['a@h1 undo 1']);
    expect(run.effects('command')[0]?.work.receipt).toEqual({ unit: 'active' });
    run.done('a', 'h1');
    expect(run.status).toBe('rolled-back');
  });

  it('owes no undo to what only reads, changes nothing or is idempotent without one', () => {
    const run = TestRun.start(
      plan([
        record('r', 'h1'),
        gate('g', 'h1'),
        action('look', 'h1', { effect: 'read', reversible: false }),
        action('same', 'h1', { effect: 'idempotent', reversible: false }),
        action('bad', 'h1'),
      ]),
    );
    run.recorded('r', 'h1', {});
    run.met('g', 'h1');
    run.done('look', 'h1');
    run.done('same', 'h1');
    run.refused('bad', 'h1');
    expect(run.status).toBe('rolled-back');
  });

  it('holds, and names the step, where something done has no undo', () => {
    const run = TestRun.start(
      plan([action('a', 'h1'), action('gone', 'h1', { effect: 'irreversible', reversible: false }), action('b', 'h1')]),
    );
    run.done('a', 'h1');
    run.done('gone', 'h1');
    run.refused('b', 'h1');
    expect(run.status).toBe('held');
    expect(run.why).toEqual(['undo-failed gone']);
    expect(run.state.reasons[0]?.failure.code).toBe('SB-STEP-NO-UNDO');
    run.resume();
    expect(run.why).toEqual(['undo-failed gone']);
    run.resolve('gone', 'succeeded');
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });

  it('holds when an undo fails, after the other hosts are done; resume tries again', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2']), action('b', 'h1')]));
    run.done('a', 'h1');
    run.done('a', 'h2');
    run.refused('b', 'h1');
    run.failed('a', 'h1');
    expect(run.status).toBe('compensating');
    run.done('a', 'h2');
    expect(run.why).toEqual(['undo-failed a']);
    run.resume();
    expect(run.commands).toEqual(['a@h1 undo 2']);
    run.done('a', 'h1');
    expect(run.status).toBe('rolled-back');
  });

  it('holds also when a group that nobody will reach waits for its time', () => {
    const later = serial('later', [action('z', 'h1')], { timing: { notBeforeMs: 9_000_000_000 } });
    const run = TestRun.start(plan([action('a', 'h1'), later]));
    run.done('a', 'h1');
    run.abort();
    run.failed('a', 'h1');
    expect(run.why).toEqual(['undo-failed a']);
  });

  it('names an undo that an operator has skipped', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    run.failed('a', 'h1');
    run.silent('h1');
    run.skip('a');
    expect(run.status).toBe('rolled-back');
    expect(run.leftovers).toEqual(['a@h1: do a (its undo was skipped)']);
  });

  it('takes the branches of a parallel group back at once', () => {
    const run = TestRun.start(plan([parallel('p', [action('a', 'h1'), action('b', 'h2')]), action('c', 'h1')]));
    run.done('a', 'h1');
    run.done('b', 'h2');
    run.refused('c', 'h1');
    expect(run.commands).toEqual(['a@h1 undo 1', 'b@h2 undo 1']);
  });

  it('keeps no do-retry once the run has turned round', () => {
    const run = TestRun.start(plan([action('a', 'h1', { retry: { attempts: 5, backoffMs: 60_000, retryOn: [] } })]));
    run.failed('a', 'h1', BUSY);
    expect(run.phase('a', 'h1')).toBe('pending');
    run.abort();
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });
});

describe('steps `only: undo`', () => {
  const steps = [
    action('stopped', 'm1'),
    gate('old-moves', 'n1', { only: 'undo' }),
    action('node-stopped', 'n1'),
    action('told', 'n1', { only: 'undo' }),
    action('installed', 'n1'),
  ];

  it('are passed over on the way forward', () => {
    const run = TestRun.start(plan(steps));
    run.done('stopped', 'm1');
    run.done('node-stopped', 'n1');
    run.done('installed', 'n1');
    expect(run.status).toBe('completed');
  });

  it('are passed at their place on the way back, and done rather than undone', () => {
    const run = TestRun.start(plan(steps));
    run.done('stopped', 'm1');
    run.done('node-stopped', 'n1');
    run.failed('installed', 'n1');
    run.done('installed', 'n1');
    expect(run.commands).toEqual(['told@n1 do 1']);
    expect(run.effects('command')[0]?.work).toMatchObject({ id: 'book-1:told:n1:do:1' });
    run.done('told', 'n1');
    run.done('node-stopped', 'n1');
    expect(run.watches).toEqual(['old-moves@n1#1u']);
    run.met('old-moves', 'n1');
    expect(run.commands).toEqual(['stopped@m1 undo 1']);
  });

  it('are left out when the way forward had not gone past them', () => {
    const run = TestRun.start(plan(steps));
    run.failed('stopped', 'm1');
    run.done('stopped', 'm1');
    expect(run.status).toBe('rolled-back');
    expect(run.phase('old-moves', 'n1')).toBe('pending');
  });

  it('hold the way back when they are not met; resume asks again', () => {
    const run = TestRun.start(plan(steps));
    run.done('stopped', 'm1');
    run.refused('node-stopped', 'n1');
    run.pass(600_000);
    expect(run.why).toEqual(['undo-failed old-moves']);
    run.resume();
    expect(run.watches).toEqual(['old-moves@n1#2u']);
    run.met('old-moves', 'n1');
    run.done('stopped', 'm1');
    expect(run.status).toBe('rolled-back');
  });

  it('may be a whole group', () => {
    const run = TestRun.start(
      plan([action('a', 'h1'), serial('back', [action('b', 'h1'), manual('m')], { only: 'undo' }), action('c', 'h1')]),
    );
    run.done('a', 'h1');
    run.refused('c', 'h1');
    expect(run.effects('page')).toMatchObject([{ why: 'manual-wanted', message: 'please m' }]);
    run.confirm('m');
    expect(run.commands).toEqual(['b@h1 do 1']);
    run.done('b', 'h1');
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });
});

describe('manual steps on the way back', () => {
  it('are asked back from a person, also when nobody has confirmed them yet', () => {
    const run = TestRun.start(plan([manual('m', { undo: 'put it back' })]));
    run.abort();
    expect(run.effects('page')).toMatchObject([{ message: 'put it back' }]);
    run.confirm('m');
    expect(run.status).toBe('rolled-back');
  });

  it('hold the way back when they have no undo', () => {
    const run = TestRun.start(plan([action('a', 'h1'), manual('m'), action('b', 'h1')]));
    run.done('a', 'h1');
    run.confirm('m');
    run.refused('b', 'h1');
    expect(run.status).toBe('held');
    expect(run.why).toEqual(['manual m']);
    run.confirm('m');
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });

  it('that change nothing are passed by, also one that nobody has confirmed yet: ticking off an item has no undo', () => {
    const items = () => [manual('told', { changes: false }), action('a', 'h1'), manual('watched', { changes: false })];
    const run = TestRun.start(plan(items()));
    run.confirm('told');
    run.done('a', 'h1');
    run.abort();
    expect(run.effects('page')).toEqual([]);
    expect(run.commands).toEqual(['a@h1 undo 1']);
    run.done('a', 'h1');
    expect([run.status, run.state.leftovers]).toEqual(['rolled-back', []]);
    const early = TestRun.start(plan(items()));
    early.abort();
    expect(early.status).toBe('rolled-back');
  });

  it('that an operator skipped are not asked back', () => {
    const run = TestRun.start(plan([manual('m'), action('a', 'h1')]));
    run.skip('m');
    run.refused('a', 'h1');
    expect(run.status).toBe('rolled-back');
  });
});

describe('the way back to a step', () => {
  const three = () => {
    const run = TestRun.start(plan([action('a', 'h1'), action('b', ['h1', 'h2']), action('c', 'h1')]));
    run.done('a', 'h1');
    run.done('b', 'h1');
    run.done('b', 'h2');
    return run;
  };
  const back = (run: TestRun, to: string) => run.send({ type: 'abort', mode: 'undo', to, by: AYSE, note: 'n' });

  it('takes back what comes after it, leaves it as it is, and holds for a person', () => {
    const run = three();
    run.accepted('c', 'h1');
    back(run, 'a');
    expect(run.status).toBe('compensating');
    run.done('c', 'h1');
    expect(run.commands).toEqual(['c@h1 undo 1']);
    run.done('c', 'h1');
    expect(run.commands).toEqual(['b@h1 undo 1', 'b@h2 undo 1']);
    run.done('b', 'h1');
    run.done('b', 'h2');
    expect(run.status).toBe('held');
    expect(run.state.reasons).toMatchObject([{ cause: 'manual', step: 'a', failure: { code: 'SB-UNDONE-TO' } }]);
    expect(run.phase('a', 'h1')).toBe('succeeded');
    expect(run.commands).toEqual([]);
  });

  it('[I4] goes on to the beginning when a person resumes it; a hold on the way there does not', () => {
    const run = three();
    back(run, 'a');
    run.withdrawn();
    run.failed('b', 'h1');
    run.done('b', 'h2');
    expect(run.why).toEqual(['undo-failed b']);
    run.resume();
    run.done('b', 'h1');
    expect(run.state.reasons).toMatchObject([{ failure: { code: 'SB-UNDONE-TO' } }]);
    run.resume();
    expect(run.commands).toEqual(['a@h1 undo 1']);
    run.done('a', 'h1');
    expect(run.status).toBe('rolled-back');
    expect(run.leftovers).toEqual([]);
  });

  it('ends as it is when a person leaves it there, and says what stands', () => {
    const run = three();
    back(run, 'b');
    run.withdrawn();
    run.send({ type: 'abort', mode: 'leave', by: AYSE, note: 'good enough' });
    expect(run.status).toBe('aborted');
    expect(run.state.leftovers.map(({ step, host }) => `${step}@${host}`)).toEqual(['a@h1', 'b@h1', 'b@h2']);
  });

  it('is refused to a step that is not over, not there, or goes at once with others', () => {
    const run = three();
    expect(() => back(run, 'c')).toThrow('c is not over on h1');
    expect(() => back(run, 'z')).toThrow('SB-RUN-NO-STEP');
    const both = TestRun.start(plan([parallel('p', [action('a', 'h1'), action('b', 'h2')]), action('c', 'h1')]));
    both.done('a', 'h1');
    both.done('b', 'h2');
    expect(() => back(both, 'a')).toThrow('stands in p');
    back(both, 'p');
    both.withdrawn();
    expect(both.state.reasons).toMatchObject([{ step: 'p', failure: { code: 'SB-UNDONE-TO' } }]);
  });
});
