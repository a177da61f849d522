import type { Plan, PlannedAction, SignedApproval } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { plannedActions } from './planned-actions.ts';
import {
  AYSE,
  action,
  approval,
  batches,
  CAN,
  MEHMET,
  manual,
  parallel,
  plan,
  point,
  serial,
  TestRun,
} from './testing/index.ts';

/** What whoever signs a plan signs of the approvals before each of its actions. */
function signed(made: Plan): Record<string, PlannedAction['approvals']> {
  const planned = [...plannedActions(made).values()].map((text): PlannedAction => JSON.parse(text));
  return Object.fromEntries(planned.map(({ step, approvals }) => [step, approvals]));
}

const steps = (made: Plan) =>
  Object.fromEntries(Object.entries(signed(made)).map(([step, all = []]) => [step, all.map((one) => one.step).join()]));

describe('what is signed of an action', () => {
  it('names every approval before it, and who has to give it', () => {
    const rule = { count: 2, role: 'approver', notSubmitter: true, validForMs: 60_000 };
    const made = plan([
      action('a', 'h1'),
      approval('go', { ...rule, message: 'Sure?' }),
      action('b', 'h1'),
      point('over', [], { approve: { count: 1 } }),
      action('c', 'h1'),
    ]);
    const go = { step: 'go', ...rule };
    expect(signed(made)).toEqual({
      a: undefined,
      b: [go],
      c: [go, { step: 'over', count: 1, notSubmitter: false }],
    });
  });

  it('leaves out what is asked beside it, on the way back, or not at all', () => {
    const made = plan([
      parallel('both', [
        serial('left', [approval('left-go'), action('left-a', 'h1')]),
        serial('right', [approval('right-go'), action('right-a', 'h1')]),
      ]),
      approval('back', {}, { only: 'undo' }),
      approval('never', {}, { skip: 'not here' }),
      manual('by-hand'),
      point('over'),
      action('last', 'h1'),
    ]);
    expect(steps(made)).toEqual({ 'left-a': 'left-go', 'right-a': 'right-go', last: 'left-go,right-go' });
  });

  it('has those of the shares before it in a batched group', () => {
    const make = ([host = '']: string[]) => [approval(`go-${host}`), action(`a-${host}`, host)];
    const made = plan([batches('rolling', [['h1'], ['h2']], { make })]);
    expect(steps(made)).toEqual({ 'a-h1': 'go-h1', 'a-h2': 'go-h1,go-h2' });
  });

  it('says of an action of the way back that it is one, and has the approvals that the way forward had behind it', () => {
    const made = plan([approval('go'), action('undo-only', 'h1', { only: 'undo' }), action('b', 'h1')]);
    const [text = ''] = plannedActions(made).values();
    expect(JSON.parse(text)).toMatchObject({ step: 'undo-only', only: 'undo', approvals: [{ step: 'go' }] });
  });
});

const word = (of: string): SignedApproval => ({ signature: `signed by ${of}`, certificate: `of ${of}` });

function approve(run: TestRun, step: string, by = CAN): string[] {
  return run.send({ type: 'approve', step, by, note: undefined, signed: word(by.name) });
}

const carried = (run: TestRun) => run.effects('command').map(({ approvals }) => approvals);

describe('what people have signed', () => {
  it('is in the log, and goes with every command behind it, also after another coordinator has read the log', () => {
    const run = TestRun.start(
      plan([action('a', 'h1'), approval('go', { count: 2 }), action('b', 'h1'), action('c', 'h1')]),
    );
    expect(carried(run)).toEqual([undefined]);
    run.done('a', 'h1');
    approve(run, 'go', CAN);
    approve(run, 'go', MEHMET);
    expect(carried(run)).toEqual([[word('can'), word('mehmet')]]);
    run.send({ type: 'lead', coordinator: 'c2', epoch: 2, nonce: 'n2' });
    expect(carried(run)).toEqual([[word('can'), word('mehmet')]]);
    run.done('b', 'h1');
    expect(carried(run)).toEqual([[word('can'), word('mehmet')]]);
    run.failed('c', 'h1');
    expect(run.commands).toEqual(['c@h1 undo 1']);
    expect(carried(run)).toEqual([[word('can'), word('mehmet')]]);
    run.done('c', 'h1');
    run.done('b', 'h1');
    expect(run.commands).toEqual(['a@h1 undo 1']);
    expect(carried(run)).toEqual([undefined]);
  });

  it('goes with what comes behind a point of no return, when its votes are in', () => {
    const run = TestRun.start(plan([point('over', [], { approve: { count: 1 } }), action('b', 'h1')]));
    approve(run, 'over');
    run.voted();
    expect(run.commands).toEqual(['b@h1 do 1']);
    expect(carried(run)).toEqual([[word('can')]]);
  });

  it('is asked for again, and not carried, once it is void', () => {
    const run = TestRun.start(plan([approval('go', { count: 2 }), action('b', 'h1')]));
    approve(run, 'go', CAN);
    run.reject('go', MEHMET);
    run.resume();
    approve(run, 'go', MEHMET);
    expect(run.commands).toEqual([]);
    approve(run, 'go', CAN);
    expect(carried(run)).toEqual([[word('mehmet'), word('can')]]);
  });

  it('is not valid for longer because nobody led the run meanwhile', () => {
    const run = TestRun.start(plan([approval('go', { count: 2, validForMs: 60_000 })]));
    approve(run, 'go', CAN);
    run.atMs += 60_000;
    run.runMs += 1_000;
    expect(approve(run, 'go', MEHMET)).toEqual(['ApprovalVoided', 'ApprovalGiven']);
    expect(run.status).toBe('running');
  });
});

describe('an approval', () => {
  it('is not skipped: hosts would wait for it behind it; on the way back it may be', () => {
    const run = TestRun.start(plan([approval('go', { notSubmitter: true }), action('b', 'h1')]));
    expect(() => run.skip('go')).toThrow('SB-RUN-GUARDED');
    approve(run, 'go', CAN);
    expect(run.commands).toEqual(['b@h1 do 1']);

    const back = TestRun.start(plan([action('a', 'h1'), approval('sure', {}, { only: 'undo' }), action('b', 'h1')]));
    back.done('a', 'h1');
    back.refused('b', 'h1');
    back.skip('sure');
    expect(back.commands).toEqual(['a@h1 undo 1']);
  });

  it('is given by whom its rule allows, and by who started the run where the rule is silent', () => {
    const run = TestRun.start(plan([approval('go')]));
    approve(run, 'go', AYSE);
    expect(run.status).toBe('completed');
  });
});
