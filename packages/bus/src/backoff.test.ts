import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('doubles up to two seconds, half of it jitter', () => {
  const most = [0, 1, 2, 3, 10, 1_000].map((attempt) => backoffMs(attempt, () => 1));
  const least = [0, 1, 2, 3, 10, 1_000].map((attempt) => backoffMs(attempt, () => 0));
  expect(most).toEqual([50, 100, 200, 400, 2_000, 2_000]);
  expect(least).toEqual([25, 50, 100, 200, 1_000, 1_000]);
});
