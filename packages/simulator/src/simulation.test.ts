import { beforeAll, describe, expect, it } from 'vitest';
import { campaign } from './campaign.ts';
import { makeSignaturesCheap } from './keys.ts';
import seeds from './seeds.json' with { type: 'json' };
import { simulate } from './simulation.ts';

/** As many as keep this file well below a minute on a slow core. `npm run sim -- --seeds 100000` runs more. */
const SEEDS = 1_000;

beforeAll(makeSignaturesCheap);

describe('bad days', () => {
  it(`[I1]-[I11] hold in ${SEEDS} of them, and every run comes to an end that a person understands`, async () => {
    const { broken, endings } = await campaign({ from: 1, seeds: SEEDS });
    expect(broken).toEqual([]);
    // Not all of them may be easy: a simulator in which nothing goes wrong proves nothing.
    expect(endings.get('rolled-back')).toBeGreaterThan(SEEDS / 10);
    expect(endings.get('completed')).toBeGreaterThan(SEEDS / 10);
  }, 120_000);

  it('are the same each time: one seed, one story', async () => {
    for (const seed of [3, 17, 344]) {
      const [first, second] = [await simulate({ seed, trace: true }), await simulate({ seed, trace: true })];
      expect(first.trace.length).toBeGreaterThan(10);
      expect(second.trace).toEqual(first.trace);
    }
  });

  it.each(seeds)('$seed: $wrong', async ({ seed }) => {
    expect((await simulate({ seed })).broken).toBeUndefined();
  });
});
