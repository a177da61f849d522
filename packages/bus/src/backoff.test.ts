import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';
import { persistence } from './connect.ts';

it('doubles up to two seconds, half of it jitter', () => {
  const most = [0, 1, 2, 3, 10, 1_000].map((attempt) => backoffMs(attempt, () => 1));
  const least = [0, 1, 2, 3, 10, 1_000].map((attempt) => backoffMs(attempt, () => 0));
  expect(most).toEqual([50, 100, 200, 400, 2_000, 2_000]);
  expect(least).toEqual([25, 50, 100, 200, 1_000, 1_000]);
});

it('a lost connection is tried for without end, by no two programs in the same rhythm', () => {
  const [one, other] = [persistence(), persistence()];
  expect(one).toMatchObject({ maxReconnectAttempts: -1, ignoreAuthErrorAbort: true });
  const waits = (of: typeof one) => Array.from({ length: 500 }, () => of.reconnectDelayHandler());
  const all = [waits(one), waits(other)];
  expect(all[0]).not.toEqual(all[1]);
  expect(Math.min(...all.flat())).toBeGreaterThanOrEqual(25);
  expect(Math.max(...all.flat())).toBeLessThanOrEqual(2_000);
});
