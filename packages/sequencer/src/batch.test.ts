import { describe, expect, it } from 'vitest';
import { action, batches, gate, parallel, plan, record, TestRun } from './testing/index.ts';

const SHARES = [['m1'], ['m2', 'm3']];

function upgrade(maxFailures: number) {
  return batches('back', SHARES, {
    maxFailures,
    make: (hosts) => [
      action('upgraded', hosts),
      action('started', hosts),
      gate('mines', hosts, { onTimeout: 'rollback' }),
    ],
  });
}

const ALL = ['m1', 'm2', 'm3'];

function canaryDone(maxFailures: number): TestRun {
  const run = TestRun.start(plan([action('stopped', ALL), upgrade(maxFailures), record('end', 'n1')]));
  for (const host of ALL) run.done('stopped', host);
  expect(run.commands).toEqual(['upgraded@m1 do 1']);
  run.done('upgraded', 'm1');
  run.done('started', 'm1');
  run.met('mines', 'm1');
  return run;
}

describe('a batch', () => {
  it('goes through the whole group for the canary before the next share begins', () => {
    const run = canaryDone(0);
    expect(run.commands).toEqual(['upgraded@m2 do 1', 'upgraded@m3 do 1']);
  });

  it('lets people name a step and its host, without its share', () => {
    const run = TestRun.start(
      plan([batches('up', SHARES, { make: (hosts) => [action(`up[batch=${hosts.length}]`, hosts)] })], {
        onFailure: 'hold',
      }),
    );
    run.failed('up[batch=1]', 'm1');
    expect(run.status).toBe('held');
    run.retry('up', 'm1');
    expect(run.commands).toEqual(['up[batch=1]@m1 do 2']);
  });

  it('[I4] undoes a failed host within the group, in reverse, then drops and names it', () => {
    const run = canaryDone(1);
    for (const host of ['m2', 'm3']) run.done('upgraded', host);
    run.done('started', 'm3');
    expect(run.failed('started', 'm2')).toContain('HostDropping');
    expect(run.commands).toEqual(['started@m2 undo 1']);
    run.done('started', 'm2');
    expect(run.commands).toEqual(['upgraded@m2 undo 1']);
    expect(run.done('upgraded', 'm2')).toContain('HostDropped');
    expect(run.watches).toEqual(['mines@m3#1']);
    run.met('mines', 'm3');
    run.recorded('end', 'n1', {});
    expect(run.status).toBe('completed');
    expect(run.leftovers).toEqual(['@m2: m2 was taken back within back and dropped: SB-TEST-BROKE: it broke']);
  });

  it('takes everything back when more hosts fail than allowed, and what a dropped host did before the group too', () => {
    const run = canaryDone(1);
    run.failed('upgraded', 'm2');
    run.done('upgraded', 'm2');
    expect(run.state.dropped.has('m2')).toBe(true);
    run.failed('upgraded', 'm3');
    expect(run.status).toBe('compensating');
    expect(run.commands).toEqual(['upgraded@m3 undo 1']);
    run.done('upgraded', 'm3');
    for (const step of ['started', 'upgraded']) run.done(step, 'm1');
    expect(run.commands).toEqual(['stopped@m1 undo 1', 'stopped@m2 undo 1', 'stopped@m3 undo 1']);
    for (const host of ALL) run.done('stopped', host);
    expect(run.status).toBe('rolled-back');
  });

  it('drops a host whose gate met its failIf', () => {
    const run = canaryDone(1);
    for (const host of ['m2', 'm3']) run.done('upgraded', host);
    for (const host of ['m2', 'm3']) run.done('started', host);
    run.failIf('mines', 'm3');
    expect(run.status).toBe('running');
    expect(run.commands).toEqual(['started@m3 undo 1']);
  });

  it('holds the run when the undo of a host that is being dropped fails, and goes on when that is decided', () => {
    const run = canaryDone(1);
    run.done('upgraded', 'm3');
    run.failed('upgraded', 'm2');
    expect(run.failed('upgraded', 'm2')).toEqual(['StepFailed', 'Held']);
    expect(run.why).toEqual(['undo-failed upgraded']);
    run.resolve('upgraded', 'succeeded', 'm2');
    expect(run.state.dropped.has('m2')).toBe(true);
    expect(run.commands).toEqual(['started@m3 do 1']);
  });

  it('starts nothing more on a host that is being dropped, whatever is proven for it meanwhile', () => {
    const guard = { resource: 'key', direction: 'do' as const, probe: 'p', with: {}, hosts: ['m2'], until: {} };
    const run = TestRun.start(
      plan([
        batches('g', [['m1', 'm2']], {
          maxFailures: 2,
          make: (hosts) => [
            parallel('both', [action('a', hosts), action('b', 'm1', { exclusive: [guard] })]),
            action('after', hosts),
          ],
        }),
      ]),
    );
    run.failed('a', 'm1');
    expect(run.proven('b', 'm1')).toEqual([]);
    run.done('a', 'm1');
    expect(run.phase('b', 'm1')).toBe('dropped');
    run.done('a', 'm2');
    expect(run.commands).toEqual(['after@m2 do 1']);
  });

  it('passes a step `only: undo` of the group for the host alone that had gone past it', () => {
    const steps = (hosts: string[]) => [
      action('a', hosts),
      action('told', hosts, { only: 'undo' }),
      action('b', hosts),
    ];
    const run = TestRun.start(plan([batches('g', [['m1', 'm2']], { maxFailures: 1, make: steps })]));
    run.done('a', 'm2');
    run.failed('a', 'm1');
    run.done('a', 'm1');
    expect(run.phase('told', 'm1')).toBe('dropped');
    run.failed('b', 'm2');
    run.done('b', 'm2');
    expect(run.commands).toEqual(['told@m2 do 1']);
    run.done('told', 'm2');
    run.done('a', 'm2');
    expect(run.status).toBe('rolled-back');
  });
});

describe('drop', () => {
  it('goes on without a host that a person has given up, and names what it keeps', () => {
    const run = TestRun.start(
      plan([action('a', ['h1', 'h2']), action('b', ['h1', 'h2'])], { roles: { r: ['h1', 'h2'] } }),
    );
    run.done('a', 'h1');
    run.silent('h2');
    expect(run.why).toEqual(['unknown a']);
    run.drop('h2');
    expect(run.status).toBe('running');
    expect(run.effects('void')).toMatchObject([{ host: 'h2' }]);
    expect(run.commands).toEqual(['b@h1 do 1']);
    run.done('b', 'h1');
    expect(run.status).toBe('completed');
    expect(run.leftovers).toEqual([
      '@h2: h2 was dropped and is as the run left it: dead',
      'a@h2: do a (left unknown on a dropped host)',
    ]);
  });

  it('leaves that host out on the way back as well, and a late silence of it holds nothing', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2']), action('b', 'h1')]));
    run.drop('h2');
    run.done('a', 'h1');
    run.silent('h2');
    run.refused('b', 'h1');
    expect(run.commands).toEqual(['a@h1 undo 1']);
    run.done('a', 'h1');
    expect(run.status).toBe('rolled-back');
  });

  it('is refused for the last host of a role, for an unknown host, twice, and on the way back', () => {
    const run = TestRun.start(plan([action('a', ['h1', 'h2'])], { roles: { r: ['h1', 'h2'] } }));
    expect(() => run.drop('h9')).toThrow('SB-RUN-NO-STEP');
    run.drop('h2');
    expect(() => run.drop('h2')).toThrow('SB-RUN-STATE');
    expect(() => run.drop('h1')).toThrow('SB-RUN-GUARDED');
    run.abort();
    expect(() => run.drop('h1')).toThrow('SB-RUN-STATE');
  });
});
