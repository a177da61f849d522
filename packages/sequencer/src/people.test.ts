import { describe, expect, it } from 'vitest';
import { AYSE, action, approval, batches, CAN, gate, MEHMET, manual, plan, record, TestRun } from './testing/index.ts';

describe('approvals', () => {
  it('count different people, of the role that is named', () => {
    const run = TestRun.start(plan([approval('go', { count: 2, role: 'approver' }), action('a', 'h1')]));
    expect(run.effects('page')).toMatchObject([{ why: 'approval-wanted' }]);
    expect(() => run.approve('go', AYSE)).toThrow('SB-APPROVE-REFUSED');
    run.approve('go', CAN);
    expect(() => run.approve('go', CAN)).toThrow('SB-APPROVE-REFUSED');
    expect(() => run.approve('go', { ...MEHMET, key: CAN.key })).toThrow('SB-APPROVE-REFUSED');
    expect(run.commands).toEqual([]);
    run.approve('go', MEHMET);
    expect(run.commands).toEqual(['a@h1 do 1']);
  });

  it('refuse whoever started the run, by name or by key, when the rule says so', () => {
    const run = TestRun.start(plan([approval('go', { notSubmitter: true })]));
    expect(() => run.approve('go', AYSE)).toThrow('SB-APPROVE-REFUSED');
    expect(() => run.approve('go', { ...CAN, key: AYSE.key })).toThrow('SB-APPROVE-REFUSED');
    run.approve('go', CAN);
    expect(run.status).toBe('completed');
  });

  it('that are not used while they are valid are void, also before the clock has been looked at', () => {
    const rule = { count: 2, validForMs: 60_000 };
    const ticked = TestRun.start(plan([approval('go', rule)]));
    ticked.approve('go', CAN);
    expect(ticked.pass(60_000)).toEqual(['ApprovalVoided']);
    const late = TestRun.start(plan([approval('go', rule)]));
    late.approve('go', CAN);
    late.runMs += 60_000;
    expect(late.approve('go', MEHMET)).toEqual(['ApprovalVoided', 'ApprovalGiven']);
    expect(late.status).toBe('running');
    late.approve('go', CAN);
    expect(late.status).toBe('completed');
  });

  it('end with one no: held until somebody resumes, which asks everybody again', () => {
    const run = TestRun.start(plan([approval('go', { count: 2 })]));
    run.approve('go', CAN);
    run.reject('go', MEHMET);
    expect(run.why).toEqual(['rejected go']);
    expect(() => run.approve('go', CAN)).toThrow('SB-RUN-STATE');
    run.resume();
    run.approve('go', CAN);
    run.approve('go', MEHMET);
    expect(run.status).toBe('completed');
  });

  it('are not taken for a step that is none, or has not been reached', () => {
    const run = TestRun.start(plan([action('a', 'h1'), approval('go')]));
    expect(() => run.approve('a')).toThrow('SB-RUN-NO-STEP');
    expect(() => run.approve('go')).toThrow('SB-RUN-STATE');
  });

  it('may stand on the way back', () => {
    const run = TestRun.start(plan([action('a', 'h1'), approval('sure', {}, { only: 'undo' }), action('b', 'h1')]));
    run.done('a', 'h1');
    run.refused('b', 'h1');
    run.approve('sure');
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });
});

describe('pause', () => {
  it('lets what runs finish, withdraws what has not begun, and starts nothing', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2']), action('b', 'h1')]));
    run.accepted('a', 'h1');
    run.pause();
    expect(run.commands).toEqual([]);
    expect(run.effects('void')).toMatchObject([{ host: 'h2' }]);
    run.withdrawn();
    run.done('a', 'h1');
    expect(run.commands).toEqual([]);
    run.resume();
    expect(run.commands).toEqual(['a@h2 do 2']);
  });

  it('holds instead of rolling back when a step fails meanwhile', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    run.pause();
    run.failed('a', 'h1');
    expect(run.status).toBe('held');
    run.retry('a');
    expect(run.status).toBe('paused');
    run.resume();
    expect(run.commands).toEqual(['a@h1 do 2']);
  });

  it('also stops the way back', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    run.failed('a', 'h1');
    run.pause();
    run.withdrawn();
    expect(run.commands).toEqual([]);
    run.resume();
    expect(run.commands).toEqual(['a@h1 undo 2']);
  });

  it('gives waiting gates their time anew: nobody looked meanwhile', () => {
    const run = TestRun.start(plan([gate('g', 'h1', { timeoutMs: 10_000 })]));
    run.pause();
    expect(run.watches).toEqual([]);
    expect(run.met('g', 'h1')).toEqual([]);
    run.pass(60_000);
    run.resume();
    run.pass(9_999);
    expect(run.watches).toEqual(['g@h1#2']);
    run.pass(1);
    expect(run.why).toEqual(['gate g']);
  });

  it('is refused when the run does not move', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    run.pause();
    expect(() => run.pause()).toThrow('SB-RUN-STATE');
    run.resume();
    expect(() => run.resume()).toThrow('SB-RUN-STATE');
  });
});

describe('a held run', () => {
  it('asks gates and records again when it is resumed', () => {
    const run = TestRun.start(plan([gate('g', 'h1', { timeoutMs: 10_000 }), record('r', 'h1')]));
    run.pass(10_000);
    expect(run.why).toEqual(['gate g']);
    run.resume();
    run.met('g', 'h1');
    run.pass(30_000);
    expect(run.why).toEqual(['gate r']);
    run.resume();
    run.recorded('r', 'h1', {});
    expect(run.status).toBe('completed');
  });

  it('wants a decision on what has failed', () => {
    const run = TestRun.start(plan([action('a', 'h1'), action('b', 'h1')], { onFailure: 'hold' }));
    run.failed('a', 'h1');
    expect(() => run.resume()).toThrow('SB-RUN-NEEDS-DECISION');
    run.retry('a');
    expect(run.commands).toEqual(['a@h1 do 2']);
    run.failed('a', 'h1');
    run.skip('a');
    expect(run.commands).toEqual(['b@h1 do 1']);
    run.done('b', 'h1');
    expect(run.leftovers).toEqual(['a@h1: do a (it failed, and was skipped)']);
  });

  it('stays held while another failure is undecided', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2'])], { onFailure: 'hold' }));
    run.failed('a', 'h1');
    run.failed('a', 'h2');
    expect(() => run.retry('a')).toThrow('SB-RUN-NO-STEP');
    run.retry('a', 'h1');
    expect(run.status).toBe('held');
    expect(run.commands).toEqual([]);
    run.retry('a', 'h2');
    expect(run.commands).toEqual(['a@h1 do 2', 'a@h2 do 2']);
  });

  it('dispatches nothing, whatever comes in', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2']), action('b', 'h1')], { onFailure: 'hold' }));
    run.accepted('a', 'h2');
    run.failed('a', 'h1');
    run.done('a', 'h2');
    run.pass(1_000);
    expect(run.commands).toEqual([]);
  });

  it('pages until somebody acknowledges, and again for a new reason', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2'])], { onFailure: 'hold' }));
    run.failed('a', 'h1');
    expect(run.effects('page')).toHaveLength(1);
    run.send({ type: 'acknowledge', by: AYSE });
    expect(run.effects('page')).toEqual([]);
    run.failed('a', 'h2');
    expect(run.effects('page')).toHaveLength(1);
  });
});

describe('operators', () => {
  it('abort --undo takes back what is there; a second time it says so', () => {
    const run = TestRun.start(plan([action('a', 'h1'), action('b', 'h1')]));
    run.done('a', 'h1');
    run.pause();
    run.abort();
    run.withdrawn();
    expect(run.commands).toEqual(['a@h1 undo 1']);
    expect(() => run.abort()).toThrow('SB-RUN-STATE');
  });

  it('abort --leave ends at once and names what is left, with how to take it back by hand', () => {
    const run = TestRun.start(plan([action('a', 'h1'), manual('m', { undo: 'put it back' }), action('b', 'h1')]));
    run.done('a', 'h1');
    run.confirm('m');
    run.abort('leave');
    expect(run.status).toBe('aborted');
    expect(run.state.leftovers).toEqual([
      { step: 'a', host: 'h1', what: 'do a (done and left)', byHand: 'undo a' },
      { step: 'm', host: null, what: 'please m (done and left)', byHand: 'put it back' },
      { step: 'b', host: 'h1', what: 'do b (left dispatched)', byHand: 'undo b' },
    ]);
  });

  it('can only add notes to a run that has ended; late reports mean nothing to it', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    const first = run.present('a', 'h1');
    run.abort('leave');
    expect(() => run.resume()).toThrow('SB-RUN-ENDED');
    expect(run.send({ type: 'outcome', ...first, outcome: { status: 'succeeded' }, durationMs: 1 })).toEqual([]);
    expect(run.send({ type: 'note', by: AYSE, text: 'done by hand' })).toEqual(['NoteAdded']);
    expect(run.state.notes.at(-1)?.text).toBe('done by hand');
  });

  it('take over, and are named', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    expect(run.state.owner).toBe('ayse');
    run.send({ type: 'take', by: CAN });
    expect(run.state.owner).toBe('can');
  });

  it('cannot start a run twice', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    expect(() => run.send({ type: 'create', by: AYSE, planHash: 'h' })).toThrow('SB-RUN-STATE');
  });

  it('may leave out a step that has not begun, or a gate that waits', () => {
    const run = TestRun.start(plan([gate('g', 'h1'), action('a', 'h1'), action('b', 'h1')]));
    run.skip('a');
    run.skip('g');
    expect(run.phase('a', 'h1')).toBe('skipped');
    expect(run.commands).toEqual(['b@h1 do 1']);
  });

  it('may skip what the way back waits for; it is named', () => {
    const run = TestRun.start(plan([action('a', 'h1'), gate('g', 'h1', { only: 'undo' }), action('b', 'h1')]));
    run.done('a', 'h1');
    run.refused('b', 'h1');
    run.skip('g');
    run.done('a', 'h1');
    expect(run.leftovers).toEqual(['g@h1: g (its undo was skipped)']);
  });

  it('cannot retry or skip, on the way back, what failed on the way forward', () => {
    const run = TestRun.start(plan([batches('g', [['h1', 'h2']], { make: (hosts) => [action('a', hosts)] })]));
    run.accepted('a', 'h2');
    run.failed('a', 'h1');
    run.done('a', 'h1');
    run.pass(200_000);
    expect(run.why).toEqual(['unknown a']);
    expect(() => run.retry('a', 'h1')).toThrow('SB-RUN-STATE');
    expect(() => run.skip('a', 'h2')).toThrow('SB-RUN-STATE');
  });

  it('hold a run that a deadline holds, also when they decide something else meanwhile', () => {
    const budget = { name: 'down', from: 'a', to: 'b', budgetMs: 10_000, onBudget: 'hold' as const };
    const run = TestRun.start(plan([action('a', 'h1'), action('b', 'h1')], { onFailure: 'hold', downtime: [budget] }));
    run.accepted('a', 'h1');
    run.pass(10_000);
    run.failed('a', 'h1');
    expect(run.why).toEqual(['deadline', 'failed a']);
    run.retry('a');
    expect(run.status).toBe('held');
    run.resume();
    expect(run.commands).toEqual(['a@h1 do 2']);
  });
});
