import { describe, expect, it } from 'vitest';
import { clocksOf, readinessOf, readinessScreen } from './readiness.ts';
import { cutoverPlan } from './testing/cutover.ts';

const NOTHING = { steps: new Map(), clocks: new Map() };
const STEPS = new Map([
  ['readers-moved', 30_000],
  ['writers-stopped', 20_000],
  ['source-quiet', 31_000],
  ['lag-zero', 33_000],
  ['mirror-stopped', 4_000],
]);
const look = { observed: [], problems: [] };
const screenOf = (earlier: Parameters<typeof clocksOf>[1], seen: Parameters<typeof readinessOf>[1] = look) => {
  const rows = readinessOf(cutoverPlan, seen, earlier);
  return readinessScreen(cutoverPlan, { rows, clocks: clocksOf(cutoverPlan, earlier), observed: [] }).join('\n');
};

describe('how long a rehearsed runbook will take', () => {
  it('is not made up while no earlier run tells', () => {
    expect(readinessOf(cutoverPlan, look, NOTHING).map(({ estimateMs }) => estimateMs)).not.toContain(0);
    expect(clocksOf(cutoverPlan, NOTHING)).toEqual([
      { name: 'writes', estimateMs: undefined, budgetMs: 600_000, unknown: 8 },
    ]);
    expect(screenOf(NOTHING)).toContain('writes down for a time of which no earlier run tells; it may take 10m');
  });

  it('is for each step, every one of its items, what it took before', () => {
    const rows = readinessOf(cutoverPlan, look, { ...NOTHING, steps: STEPS });
    const estimates = rows.map(({ step, estimateMs }) => [step, estimateMs]);
    expect(estimates).toContainEqual(['readers-moved[crud]', 30_000]);
    expect(estimates).toContainEqual(['readers-moved[export]', 30_000]);
    expect(estimates).toContainEqual(['writers-started[rtu]', undefined]);
    expect(screenOf({ ...NOTHING, steps: STEPS })).toMatch(/readers-moved\[lite\] +kube-1 +~30s/);
  });

  it('is for a downtime what its steps take one after the other, and says of how many nobody knows', () => {
    const earlier = { ...NOTHING, steps: STEPS };
    // Two writers are stopped; both are started again, which was never timed. The reader before them is no part of it.
    const estimateMs = 2 * 20_000 + 31_000 + 33_000 + 4_000;
    expect(clocksOf(cutoverPlan, earlier)).toEqual([{ name: 'writes', estimateMs, budgetMs: 600_000, unknown: 3 }]);
    expect(screenOf(earlier)).toContain('writes down ~1m48s of 10m, and 3 steps of which no earlier run tells');
  });

  it('is for a downtime what it took before, where that is known: steps side by side add nothing', () => {
    const steps = new Map([...STEPS, ['writers-started', 5_000], ['no-way-back', 1_000]]);
    const earlier = { steps, clocks: new Map([['writes', 61_000]]) };
    expect(clocksOf(cutoverPlan, earlier)).toEqual([
      { name: 'writes', estimateMs: 61_000, budgetMs: 600_000, unknown: 0 },
    ]);
    expect(screenOf(earlier)).toMatch(/^writes down ~1m1s of 10m$/m);
  });
});

describe('what a rehearsal finds missing', () => {
  const low = { step: 'window-enough', host: 'mirror-1', seen: { windowSeconds: 3_600 } };

  it('is a gate that is asked once and would fail now, and nothing else of what has not been changed yet', () => {
    const rows = readinessOf(cutoverPlan, { ...look, observed: [low] }, NOTHING);
    const [first, ...others] = rows;
    expect(first).toMatchObject({ step: 'window-enough', state: 'missing' });
    expect(new Set(others.map(({ state }) => state))).toEqual(new Set(['later']));
    expect(screenOf(NOTHING, { ...look, observed: [low] })).toContain(`1 of ${rows.length} are missing something`);
    const enough = { ...low, seen: { windowSeconds: 90_000 } };
    expect(screenOf(NOTHING, { ...look, observed: [enough] })).toMatch(/^ready$/m);
  });

  it('is what a host says against an action', () => {
    const failure = { code: 'SB-ACT-X', class: 'terminal', message: 'no such unit', next: '-' } as const;
    const problems = [{ step: 'ttl-paused', host: 'mirror-1', failure }];
    const row = readinessOf(cutoverPlan, { ...look, problems }, NOTHING).find(({ step }) => step === 'ttl-paused');
    expect(row).toMatchObject({ state: 'missing', note: 'no such unit [SB-ACT-X]' });
  });
});
