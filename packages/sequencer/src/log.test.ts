import type { RunEvent } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { evolve, evolveEntry, initialState } from './evolve.ts';
import { pending } from './pending.ts';
import { AYSE, action, approval, BROKE, gate, manual, plan, point, TestRun } from './testing/index.ts';

const AT = { atMs: 1, runMs: 1 };

/** What each event may not follow, written as the log of a run and the event that is refused. */
const STEPS = plan([action('a', 'h1'), gate('g', 'h1'), approval('go'), point('p'), manual('m')]);
const OF = { step: 'a', host: 'h1', direction: 'do', attempt: 1 } as const;
const HELD: RunEvent = { type: 'Held', reasons: [{ cause: 'failed', failure: BROKE }] };
const work = { kind: 'manual', text: 'x' } as const;

describe('a log that cannot be [SB-RUN-LOG]', () => {
  it.each<[string, (run: TestRun) => void, RunEvent]>([
    ['a second creation', () => {}, { type: 'RunCreated', mesh: 'm', runbook: 'b', planHash: 'h', by: AYSE }],
    ['an epoch that does not grow', () => {}, { type: 'Led', coordinator: 'c', epoch: 1, nonce: 'n' }],
    ['a step that the plan does not have', () => {}, { type: 'StepAccepted', ...OF, step: 'z' }],
    [
      '[I1] an attempt that is used again',
      (run) => run.refused('a', 'h1', { ...BROKE, class: 'retryable' }),
      { type: 'StepStarted', ...OF, work },
    ],
    [
      '[I1] an attempt that is left out',
      (run) => run.refused('a', 'h1', { ...BROKE, class: 'retryable' }),
      { type: 'StepStarted', ...OF, attempt: 3, work },
    ],
    ['an outcome of another try', () => {}, { type: 'StepSucceeded', ...OF, attempt: 2, via: 'report' }],
    [
      'an outcome of what has not begun',
      () => {},
      { type: 'StepSucceeded', ...OF, step: 'g', attempt: 1, via: 'sample' },
    ],
    ['an intent without a command', (run) => run.done('a', 'h1'), { type: 'StepAccepted', ...OF, step: 'g' }],
    [
      '[I5] an unknown step that starts again',
      (run) => run.silent('h1'),
      { type: 'StepStarted', ...OF, attempt: 2, work },
    ],
    ['an approval that nobody asked for', () => {}, { type: 'ApprovalGiven', step: 'go', by: AYSE }],
    [
      'a crossing without a round',
      () => {},
      { type: 'Crossed', step: 'p', round: 1, roundNonce: 'n', votes: [], evidence: [] },
    ],
    [
      'a fence that breaks before it was met',
      () => {},
      { type: 'FenceBroken', step: 'g', host: 'h1', values: {}, why: '' },
    ],
    ['a second way back', (run) => run.abort(), { type: 'UndoStarted', reason: BROKE }],
    ['a resume of what moves', () => {}, { type: 'Resumed', by: AYSE }],
    ['a lift of what is not held', (run) => run.pause(), { type: 'HoldLifted' }],
    ['a pause of what is paused', (run) => run.pause(), { type: 'Paused', by: AYSE }],
    ['a host dropped twice', (run) => run.drop('h1'), { type: 'HostDropped', host: 'h1', group: null, reason: '' }],
    ['closing what goes on', () => {}, { type: 'RunClosed' }],
    ['anything after the end', (run) => run.abort('leave'), HELD],
  ])('%s', (_, lead, event) => {
    const run = TestRun.start(STEPS);
    lead(run);
    expect(() => evolve(run.state, event, AT)).toThrow('SB-RUN-LOG');
  });

  it('[D4] a crossing that a host has not voted for, and a vote of a host that was not asked', () => {
    const { state } = TestRun.start(plan([point('p'), action('b', 'h2')]));
    const of = { step: 'p', round: state.rounds, evidence: [] };
    const crossed: RunEvent = { type: 'Crossed', ...of, roundNonce: 'n1.1', votes: [] };
    const vote = { type: 'VoteGiven', ...of, vote: 'yes', journalSequence: 1 } as const;
    expect(() => evolve(state, crossed, AT)).toThrow('[D4] h2 has not voted for it');
    expect(() => evolve(state, { ...vote, host: 'h1' }, AT)).toThrow('SB-RUN-LOG');
    expect(evolve(evolve(state, { ...vote, host: 'h2' }, AT), crossed, AT).crossed).toEqual(['p']);
  });

  it('anything before the creation', () => {
    expect(() => evolve(initialState('r', STEPS), HELD, AT)).toThrow('SB-RUN-LOG');
  });

  it('[I3] a way back after a point of no return', () => {
    const run = TestRun.start(plan([point('p'), action('a', 'h1')]));
    run.voted();
    expect(() => evolve(run.state, { type: 'UndoStarted', reason: BROKE }, AT)).toThrow('[I3]');
  });
});

describe('a log that is read back', () => {
  it('[D5] gives the same state and wants the same of the world, entry by entry', () => {
    const run = TestRun.start(
      plan([action('a', ['h1', 'h2']), gate('g', 'h1', { holdUntil: 'b' }), action('b', 'h1')]),
    );
    const wanted = [JSON.stringify(pending(run.state))];
    const steps = [
      () => run.accepted('a', 'h1', { was: 1 }),
      () => run.done('a', 'h1', { made: 2 }),
      () => run.done('a', 'h2'),
      () => run.met('g', 'h1'),
      () => run.failed('b', 'h1'),
    ];
    for (const step of steps) {
      step();
      wanted.push(JSON.stringify(pending(run.state)));
    }
    const [created, led, ...rest] = JSON.parse(JSON.stringify(run.log));
    let state = [created, led].reduce(evolveEntry, initialState('book-1', JSON.parse(JSON.stringify(run.state.plan))));
    const again = [JSON.stringify(pending(state))];
    for (const entry of rest) {
      state = evolveEntry(state, entry);
      again.push(JSON.stringify(pending(state)));
    }
    expect(again).toEqual(wanted);
    expect(JSON.stringify([...state.cells])).toBe(JSON.stringify([...run.state.cells]));
  });

  it('does not change the state that it was folded from', () => {
    const run = TestRun.start(plan([action('a', 'h1')]));
    const before = run.state;
    const picture = JSON.stringify([...before.cells]);
    run.done('a', 'h1');
    expect(JSON.stringify([...before.cells])).toBe(picture);
  });

  it('folds 10,000 events of a large plan', () => {
    const hosts = Array.from({ length: 500 }, (_, i) => `h${i}`);
    const steps = Array.from({ length: 7 }, (_, i) => action(`s${i}`, hosts));
    const big = plan(steps);
    const entries = steps.flatMap((step) =>
      hosts.flatMap((host) => {
        const of = { step: step.id, host, direction: 'do', attempt: 1 } as const;
        const command = {
          kind: 'command',
          id: `${step.id}:${host}`,
          action: 'a',
          version: 1,
          with: {},
          notAfterMs: 1,
          timeoutMs: 1,
        } as const;
        const events: RunEvent[] = [
          { type: 'StepStarted', ...of, work: command },
          { type: 'StepAccepted', ...of, before: {} },
          { type: 'StepSucceeded', ...of, via: 'report' },
        ];
        return events.map((event) => ({ ...AT, events: [event] }));
      }),
    );
    const created: RunEvent = { type: 'RunCreated', mesh: 'm', runbook: 'b', planHash: 'h', by: AYSE };
    const begun = performance.now();
    const state = [{ ...AT, events: [created] }, ...entries].reduce(evolveEntry, initialState('r', big));
    console.info(
      `${entries.length} events on ${state.cells.size} cells folded in ${Math.round(performance.now() - begun)} ms`,
    );
    expect([...state.cells.values()].every((cell) => cell.phase === 'succeeded')).toBe(true);
  });
});
