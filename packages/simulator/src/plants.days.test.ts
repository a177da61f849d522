import { beforeAll, describe, expect, it } from 'vitest';
import { makeSignaturesCheap } from './keys.ts';
import { PLANTS } from './plants.ts';
import { FORGER } from './plants-votes.ts';
import { simulate } from './simulation.ts';

const MOST_SEEDS = 1_000;

beforeAll(makeSignaturesCheap);

describe('a planted mistake is found', () => {
  it.each(Object.entries(PLANTS).map(([what, { rule, planted }]) => [rule, what, planted] as const))(
    '[%s] %s',
    async (rule, _what, planted) => {
      const found = await firstSeed(rule, planted);
      expect(found, `not found in ${MOST_SEEDS} seeds`).toBeDefined();
    },
  );
});

it('[I3] who has voted undoes nothing behind a point of no return, whoever asks with whatever key', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { broken } = await simulate({ seed, planted: FORGER });
    expect(broken?.message, `--seed ${seed}`).toBeUndefined();
  }
}, 120_000);

/** The first seed on which the mistake breaks the invariant that it is about. */
async function firstSeed(
  rule: string,
  planted: Parameters<typeof simulate>[0]['planted'],
): Promise<number | undefined> {
  for (let seed = 1; seed <= MOST_SEEDS; seed++) {
    const { broken } = await simulate({ seed, ...(planted ? { planted } : {}) });
    if (broken?.rule === rule) return seed;
  }
  return undefined;
}
