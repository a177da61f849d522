import type { Plan, PlanStep } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { blockers } from './blockers.ts';
import {
  action,
  approval,
  BROKE,
  CAN,
  gate,
  MEHMET,
  manual,
  parallel,
  plan,
  point,
  serial,
  TestRun,
} from './testing/index.ts';

describe('fences', () => {
  const fenced = (onBreak: 'hold' | 'rollback' = 'hold') =>
    TestRun.start(
      plan([gate('f', 'h1', { holdUntil: 'b', onBreak }), action('a', 'h1'), approval('go'), action('b', 'h1')]),
    );

  it('are watched from the moment they pass, with the value that passed them, until the step starts', () => {
    const run = fenced();
    run.met('f', 'h1', { ok: true, n: 1 });
    expect(run.effects('watch')).toMatchObject([{ key: 'f@h1#fence1', use: 'fence', seed: { ok: true, n: 1 } }]);
    run.done('a', 'h1');
    expect(run.watches).toEqual(['f@h1#fence1']);
    run.approve('go');
    expect(run.watches).toEqual([]);
    expect(run.broke('f', 'h1')).toEqual([]);
  });

  it('stop dispatch at once when they break, let what runs finish, and are asked again by resume', () => {
    const run = fenced();
    run.met('f', 'h1');
    run.accepted('a', 'h1');
    run.broke('f', 'h1');
    expect(run.why).toEqual(['fence f']);
    run.done('a', 'h1');
    expect(run.status).toBe('held');
    run.resume();
    expect(run.watches).toEqual(['f@h1#2']);
    expect(run.effects('page')).toEqual([]);
    run.met('f', 'h1');
    expect(run.effects('page')).toMatchObject([{ why: 'approval-wanted' }]);
  });

  it('[I11] that nobody can look at stop the run all the same, and send nobody after a culprit', () => {
    const run = fenced();
    run.met('f', 'h1', { ok: true });
    const why = 'no sample for 12s: h1 did not answer [SB-COORD-HOST-SILENT]';
    run.send({ type: 'fenceBroke', step: 'f', host: 'h1', values: {}, why, unseen: true });
    expect(run.status).toBe('held');
    const said = {
      code: 'SB-FENCE-UNSEEN',
      message: `fence f on h1: ${why}`,
      next: expect.stringMatching(/^Bring the host back/),
    };
    expect(run.state.reasons).toMatchObject([{ cause: 'fence', failure: said }]);
    expect(run.cell('f', 'h1')).toMatchObject({ values: { ok: true } });
    // The same sentence when the reasons are worked out anew, as for a person who resumes what still stands in the way.
    expect(blockers(run.state)).toMatchObject([{ cause: 'fence', failure: said }]);
    run.resume();
    run.met('f', 'h1');
    run.broke('f', 'h1');
    expect(run.state.reasons).toMatchObject([
      { failure: { code: 'SB-FENCE-BROKEN', details: { values: { ok: false } } } },
    ]);
  });

  it('void open approvals and ask for them again only when they are met again', () => {
    const run = TestRun.start(
      plan([gate('f', 'h1', { holdUntil: 'b' }), approval('go', { count: 2 }), action('b', 'h1')]),
    );
    run.met('f', 'h1');
    run.approve('go', CAN);
    expect(run.broke('f', 'h1')).toContain('ApprovalVoided');
    run.resume();
    expect(() => run.approve('go', MEHMET)).toThrow('SB-RUN-STATE');
    run.met('f', 'h1');
    run.approve('go', CAN);
    run.approve('go', MEHMET);
    expect(run.commands).toEqual(['b@h1 do 1']);
  });

  it('make every gate that was valid while they held be met again', () => {
    const run = TestRun.start(
      plan([
        gate('f', 'h1', { holdUntil: 'b' }),
        gate('equal', 'h1', { validWhile: ['f'] }),
        gate('other', 'h1'),
        approval('go'),
        action('b', 'h1'),
      ]),
    );
    for (const step of ['f', 'equal', 'other']) run.met(step, 'h1');
    run.broke('f', 'h1');
    expect(run.phase('equal', 'h1')).toBe('pending');
    expect(run.phase('other', 'h1')).toBe('succeeded');
    run.resume();
    run.met('f', 'h1');
    expect(run.watches).toEqual(['f@h1#fence2', 'equal@h1#2']);
  });

  it('take everything back when they say so', () => {
    const run = fenced('rollback');
    run.met('f', 'h1');
    run.done('a', 'h1');
    run.broke('f', 'h1');
    expect(run.commands).toEqual(['a@h1 undo 1']);
  });

  it('stay watched while the run is paused, and are off on the way back', () => {
    const run = fenced();
    run.met('f', 'h1');
    run.pause();
    expect(run.watches).toEqual(['f@h1#fence1']);
    run.abort();
    expect(run.watches).toEqual([]);
    expect(run.broke('f', 'h1')).toEqual([]);
  });

  it('end with the step that they name when that is a group, or stands on other hosts', () => {
    const run = TestRun.start(
      plan([gate('f', 'h1', { holdUntil: 'started' }), serial('started', [action('s1', 'h2'), action('s2', 'h2')])]),
    );
    run.met('f', 'h1');
    expect(run.watches).toEqual([]);
    expect(run.commands).toEqual(['s1@h2 do 1']);
  });

  it('are watched until the step has started on the same host, when it stands there', () => {
    const run = TestRun.start(
      plan([gate('f', ['h1', 'h2'], { holdUntil: 'b' }), action('b', 'h1'), action('c', 'h1')]),
    );
    run.met('f', 'h1');
    run.met('f', 'h2');
    expect(run.watches).toEqual([]);
  });
});

/** Fences, gates and two people before the point; something irreversible behind it. */
const CUTOVER: Plan = plan([
  action('stopped', 'h1'),
  gate('quiet', 'h1', { holdUntil: 'point' }),
  gate('equal', 'h1', { validWhile: ['quiet'] }),
  gate('lag', 'h1', { until: { lag: { atMost: 0 } } }),
  point('point', ['quiet', 'equal', 'lag'], { approve: { count: 2, notSubmitter: true } }),
  action('released', 'h1', { effect: 'irreversible', reversible: false }),
  gate('after', 'h1', { onTimeout: 'rollback', timeoutMs: 10_000 }),
]);

function before(): TestRun {
  const run = TestRun.start(CUTOVER);
  run.done('stopped', 'h1');
  run.met('quiet', 'h1');
  run.met('equal', 'h1');
  run.met('lag', 'h1', { lag: 0 });
  return run;
}

function asked(): TestRun {
  const run = before();
  run.approve('point', CAN);
  run.approve('point', MEHMET);
  return run;
}

const GOOD = { quiet: { ok: true }, lag: { lag: 0 } };

function crossed(): TestRun {
  const run = asked();
  run.voted(GOOD);
  return run;
}

describe('a point of no return', () => {
  it('[I2] asks its guards afresh for one round, but not those that a fence keeps fresh', () => {
    const run = asked();
    const votes = run.effects('vote');
    expect(votes).toMatchObject([{ host: 'h1', step: 'point', round: 1, roundNonce: 'n1.1' }]);
    expect(votes[0]?.guards.map((g) => g.step)).toEqual(['quiet', 'lag']);
    expect(run.watches).toEqual(['quiet@h1#fence1']);
    expect(run.voted(GOOD)).toEqual(['VoteGiven', 'Crossed', 'StepSucceeded', 'StepStarted']);
    expect(run.commands).toEqual(['released@h1 do 1']);
  });

  it('is crossed without asking anybody when it wants nobody', () => {
    const run = TestRun.start(plan([point('p')]));
    expect(run.state.crossed).toEqual(['p']);
  });

  it.each([
    ['a sample disagrees', { lag: { lag: 3 } }],
    ['a sample is missing', { lag: undefined }],
  ])('is not crossed when %s: held, and guards and people are asked again', (_, bad) => {
    const run = asked();
    run.voted({ ...GOOD, ...bad });
    expect(run.why).toEqual(['gate point']);
    expect(run.state.reasons[0]?.failure.code).toBe('SB-GUARD-STALE');
    run.resume();
    expect(run.watches).toEqual(['quiet@h1#fence1', 'lag@h1#2']);
    run.met('lag', 'h1', { lag: 0 });
    run.approve('point', CAN);
    run.approve('point', MEHMET);
    expect(run.effects('vote')).toMatchObject([{ round: 2 }]);
    run.voted(GOOD);
    expect(run.state.crossed).toEqual(['point']);
  });

  it('is not crossed on the answers of an earlier round, nor when they come after a pause, a hold or an abort', () => {
    const [effect] = asked().effects('vote');
    if (!effect) throw new Error('nobody is asked');
    const answer = asked().ballot(effect, GOOD);
    const paused = asked();
    paused.pause();
    expect(paused.send(answer)).toEqual([]);
    const aborted = asked();
    aborted.abort();
    expect(aborted.send(answer)).toEqual([]);
    const held = asked();
    held.broke('quiet', 'h1');
    expect(held.send(answer)).toEqual([]);
    const again = asked();
    again.voted({ ...GOOD, lag: { lag: 3 } });
    again.resume();
    again.met('lag', 'h1', { lag: 0 });
    again.approve('point', CAN);
    again.approve('point', MEHMET);
    expect(again.send(answer)).toEqual([]);
  });

  it('[D4] asks every host that has a guard, and those that will do what it is crossed for', () => {
    const run = TestRun.start(
      plan([
        gate('lag', 'h1'),
        point('p', ['lag']),
        gate('between', 'h4'),
        action('first', ['h2', 'h3']),
        action('later', 'h5'),
      ]),
    );
    run.met('lag', 'h1');
    expect(run.effects('vote').map(({ host, guards }) => `${host} ${guards.length}`)).toEqual(['h1 1', 'h2 0', 'h3 0']);
    run.voted();
    run.met('between', 'h4');
    const [first] = run.effects('command');
    const votes = ['h1', 'h2', 'h3'].map((host) => ({ host, journalSequence: 7 }));
    expect(first?.work.crossing).toEqual({ step: 'p', round: 1, roundNonce: 'n1.1', votes });
    run.done('first', 'h2');
    run.done('first', 'h3');
    expect(run.effects('command')[0]?.work.crossing).toBeUndefined();
  });

  it('[D4] gives the votes to all that begin at once behind it, and to nothing behind a person or another point', () => {
    const votersOf = (steps: PlanStep[]) =>
      TestRun.start(plan(steps))
        .effects('vote')
        .map(({ host }) => host);
    const beside = parallel('both', [serial('one', [action('a', 'h1'), action('b', 'h2')]), action('c', 'h3')]);
    expect(votersOf([point('p'), beside])).toEqual(['h1', 'h3']);
    expect(votersOf([point('p'), parallel('both', [action('a', 'h1'), action('b', 'h2')], { limit: 1 })])).toEqual([
      'h1',
    ]);
    expect(votersOf([point('p'), action('seen', 'h1', { effect: 'read' }), action('a', 'h2')])).toEqual(['h2']);
    expect(votersOf([point('p'), manual('m'), action('a', 'h1')])).toEqual([]);
  });

  it('[D4] is not crossed before the last vote, nor on votes that are too old', () => {
    const run = TestRun.start(plan([gate('g', ['h1', 'h2']), point('p', ['g'])]));
    run.met('g', 'h1');
    run.met('g', 'h2');
    const [one, two] = run.effects('vote').map((effect) => run.ballot(effect));
    if (!one || !two) throw new Error('two voters');
    expect(run.send(one)).toEqual(['VoteGiven']);
    expect(run.send(one)).toEqual([]);
    expect(run.effects('vote').map(({ host }) => host)).toEqual(['h2']);
    run.runMs += 25_000;
    expect(run.send(two)).toEqual([]);
    expect(run.pass(0)).toContain('Held');
    expect(run.state.reasons[0]?.failure.message).toBe('p: h2 did not vote in time');
  });

  it('[D4] is not crossed when a vote is taken back before the last one is there', () => {
    const run = TestRun.start(plan([gate('g', ['h1', 'h2']), point('p', ['g'])]));
    run.met('g', 'h1');
    run.met('g', 'h2');
    const [one, two] = run.effects('vote').map((effect) => run.ballot(effect));
    if (!one || !two) throw new Error('two voters');
    run.send(one);
    run.send({ ...one, vote: 'no', evidence: [], why: 'it went down' });
    expect(run.send(two)).toEqual([]);
    expect(run.state.reasons[0]?.failure.message).toBe('h1: it went down');
    expect(run.effects('release')).toEqual([
      { type: 'release', host: 'h1', round: 1 },
      { type: 'release', host: 'h2', round: 1 },
    ]);
  });

  it('[D4] is not crossed by the votes of a host that has none', () => {
    const run = asked();
    const [effect] = run.effects('vote');
    if (!effect) throw new Error('nobody is asked');
    expect(run.send({ ...run.ballot(effect, GOOD), host: 'h9' })).toEqual([]);
    expect(run.send({ ...run.ballot(effect, GOOD), roundNonce: 'n0.1' })).toEqual([]);
  });

  it('[D4] an abort that comes first wins: who may have voted is released, and everything is taken back', () => {
    const run = asked();
    const [effect] = run.effects('vote');
    if (!effect) throw new Error('nobody is asked');
    run.abort();
    expect(run.effects('release')).toEqual([{ type: 'release', host: 'h1', round: 1 }]);
    expect(run.commands).toEqual(['stopped@h1 undo 1']);
    expect(run.send(run.ballot(effect, GOOD))).toEqual([]);
  });

  it('[D4] asks again under another leader, and when what it asks for changes: nobody knows how old a vote is', () => {
    const run = asked();
    run.send({ type: 'lead', coordinator: 'c2', epoch: 2, nonce: 'n2' });
    expect(run.effects('vote')).toMatchObject([{ round: 2, roundNonce: 'n2.2' }]);
    run.adjust('lag', { until: { lag: { atMost: 5 } } });
    expect(run.effects('vote')).toMatchObject([{ round: 3, guards: [{}, { until: { lag: { atMost: 5 } } }] }]);
    expect(run.effects('release')).toEqual([]);
    run.voted({ ...GOOD, lag: { lag: 4 } });
    expect(run.state.crossed).toEqual(['point']);
  });

  it('[I3] seals every host of the run', () => {
    const run = crossed();
    expect(run.effects('seal')).toEqual([{ type: 'seal', hosts: ['h1'], step: 'point', round: 1 }]);
    expect(run.effects('release')).toEqual([]);
  });

  it('compares with what an operator has adjusted since', () => {
    const run = before();
    run.adjust('lag', { until: { lag: { atMost: 5 } } });
    run.approve('point', CAN);
    run.approve('point', MEHMET);
    run.voted({ ...GOOD, lag: { lag: 3 } });
    expect(run.state.crossed).toEqual(['point']);
  });

  it('holds when its guards do not answer in time', () => {
    const run = asked();
    run.pass(60_000);
    expect(run.why).toEqual(['gate point']);
  });

  it('falls back to before its fence when that breaks while people approve', () => {
    const run = before();
    run.approve('point', CAN);
    run.broke('quiet', 'h1');
    run.resume();
    expect(run.watches).toEqual(['quiet@h1#2']);
    run.met('quiet', 'h1');
    expect(run.watches).toEqual(['quiet@h1#fence2', 'equal@h1#2']);
    expect(() => run.approve('point', MEHMET)).toThrow('SB-RUN-STATE');
  });

  it('nobody skips, nor its guards', () => {
    const run = before();
    expect(() => run.skip('point')).toThrow('SB-RUN-GUARDED');
    const waiting = TestRun.start(CUTOVER);
    expect(() => waiting.skip('lag')).toThrow('SB-RUN-GUARDED');
  });
});

describe('[I3] behind a point of no return', () => {
  it.each([
    ['a failed step', (run: TestRun) => run.failed('released', 'h1', BROKE)],
    ['a half-done step', (run: TestRun) => run.probed('released', 'h1', 'partial')],
    ['a refused step', (run: TestRun) => run.refused('released', 'h1', BROKE)],
    [
      'a gate that would roll back',
      (run: TestRun) => {
        run.done('released', 'h1');
        run.pass(10_000);
      },
    ],
  ])('%s holds', (_, happens) => {
    const run = crossed();
    happens(run);
    expect(run.status).toBe('held');
    expect(run.state.direction).toBe('do');
    expect(() => run.abort('undo')).toThrow('SB-RUN-SEALED');
  });

  it('a fence that stood before it only warns, once', () => {
    const run = TestRun.start(
      plan([
        gate('f', 'h1', { holdUntil: 'b', onBreak: 'rollback' }),
        point('p'),
        action('a', 'h2'),
        action('b', 'h1'),
      ]),
    );
    run.met('f', 'h1');
    run.voted();
    expect(run.watches).toEqual(['f@h1#fence1']);
    expect(run.broke('f', 'h1')).toEqual(['FenceBroken']);
    expect(run.broke('f', 'h1')).toEqual([]);
    expect(run.status).toBe('running');
    run.done('a', 'h2');
    expect(run.commands).toEqual(['b@h1 do 1']);
  });

  it('a fence in front of the next one still stops the run', () => {
    const run = TestRun.start(
      plan([point('p1'), gate('f', 'h1', { holdUntil: 'p2', onBreak: 'rollback' }), manual('m'), point('p2', ['f'])]),
    );
    run.voted();
    run.met('f', 'h1');
    run.broke('f', 'h1');
    expect(run.why).toEqual(['fence f']);
  });

  it('a deadline and a budget hold instead of taking back', () => {
    const budget = { name: 'down', from: 'a', to: 'b', budgetMs: 10_000, onBudget: 'rollback' as const };
    const late = serial('late', [action('b', 'h1')], { timing: { decideByMs: 1_020_000, onDeadline: 'rollback' } });
    const run = TestRun.start(plan([point('p'), action('a', 'h1'), late], { downtime: [budget] }));
    run.voted();
    run.pass(10_000);
    expect(run.why).toEqual(['deadline']);
    run.resume();
    run.pass(10_000);
    expect(run.why).toEqual(['deadline late']);
  });
});
