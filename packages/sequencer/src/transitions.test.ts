import type { ExclusiveGuard, Plan } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { BadDay } from './testing/bad-day.ts';
import { Dice, seededNumbers } from './testing/dice.ts';
import { AYSE, action, BROKE, batches, gate, plan, TestRun } from './testing/index.ts';
import { Oracle } from './testing/oracle.ts';
import { randomPlan } from './testing/random-plan.ts';
import { TRANSITIONS } from './transitions.ts';

const BAD_DAYS = 500;
const IRREVERSIBLE = { effect: 'irreversible', reversible: false } as const;
const KEY: ExclusiveGuard = { resource: 'k', direction: 'undo', probe: 'p', with: {}, hosts: ['h2'], until: {} };

/** What bad days do not come to, or too seldom to rely on it. */
const RARE: Record<string, readonly [Plan, (run: TestRun) => void]> = {
  'do pending fail': [
    plan([action('a', 'h1', { with: { x: { $step: 'z', host: 'h1', from: 'values', path: ['x'] } } })]),
    () => {},
  ],
  'do succeeded succeed': [
    plan([action('a', 'h1'), action('b', 'h1')]),
    (run) => {
      const of = run.present('a', 'h1');
      run.silent('h1');
      run.resolve('a', 'succeeded');
      run.send({ type: 'outcome', ...of, outcome: { status: 'succeeded' }, durationMs: 1 });
    },
  ],
  'undo pending drop': [
    plan([batches('g', [['h1', 'h2']], { maxFailures: 1, make: (hosts) => [action('a', hosts)] })]),
    (run) => {
      run.failed('a', 'h1');
      run.pause();
      run.withdrawn();
      run.drop('h1');
    },
  ],
  'undo failed fail': [plan([action('a', 'h1', IRREVERSIBLE)]), (run) => run.failed('a', 'h1')],
  'undo unknown wait': [
    plan([action('a', 'h1', { exclusive: [KEY] })]),
    (run) => {
      run.silent('h1');
      run.abort();
    },
  ],
  'undo unknown skip': [
    plan([action('a', 'h1')]),
    (run) => {
      run.failed('a', 'h1');
      run.silent('h1');
      run.skip('a');
    },
  ],
  'undo compensating skip': [
    plan([gate('g', 'h1', { only: 'undo' }), action('a', 'h1')]),
    (run) => {
      run.refused('a', 'h1');
      run.skip('g');
    },
  ],
  'undo compensated reset': [
    plan([action('a', ['h1', 'h2'])]),
    (run) => {
      run.failed('a', 'h1');
      const of = run.present('a', 'h1');
      run.silent('h1');
      run.resolve('a', 'succeeded', 'h1');
      run.send({ type: 'outcome', ...of, outcome: { status: 'failed', failure: BROKE }, durationMs: 1 });
      run.retry('a', 'h1');
    },
  ],
  'undo skipped fail': [
    plan([action('a', 'h1', IRREVERSIBLE), action('b', 'h1')], { onFailure: 'hold' }),
    (run) => {
      run.failed('a', 'h1');
      run.skip('a');
      run.abort();
      run.withdrawn();
    },
  ],
};

describe('the table of transitions', () => {
  it.each(Object.entries(RARE))('is used for: %s', (transition, [steps, happens]) => {
    expect(seenIn(steps, happens)).toContain(transition);
  });

  it('has no entry that is never used', () => {
    const seen = new Set(Object.values(RARE).flatMap(([steps, happens]) => seenIn(steps, happens)));
    for (let seed = 1; seed <= BAD_DAYS; seed++) for (const transition of seenOnBadDay(seed)) seen.add(transition);
    expect(allTransitions().filter((transition) => !seen.has(transition))).toEqual([]);
  }, 60_000);
});

function allTransitions(): string[] {
  return Object.entries(TRANSITIONS).flatMap(([direction, table]) =>
    Object.entries(table).flatMap(([phase, triggers]) =>
      Object.keys(triggers).map((trigger) => `${direction} ${phase} ${trigger}`),
    ),
  );
}

function seenIn(steps: Plan, happens: (run: TestRun) => void): string[] {
  const run = TestRun.start(steps);
  happens(run);
  const oracle = new Oracle(run);
  oracle.look(run, { type: 'note', by: AYSE, text: '' });
  return [...oracle.transitions];
}

/** The same bad day for the same seed. */
function seenOnBadDay(seed: number): ReadonlySet<string> {
  const dice = new Dice(seededNumbers(seed, 400));
  const day = new BadDay(randomPlan(dice), dice);
  day.storm();
  day.calm();
  return day.oracle.transitions;
}
