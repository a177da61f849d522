import { expect } from 'vitest';
import { campaign } from '../campaign.ts';

/** Every invariant holds on each of these days, and not all of them are easy. */
export async function expectBadDays(range: { from: number; seeds: number }): Promise<void> {
  const { broken, endings, troubles } = await campaign(range);
  expect(broken).toEqual([]);
  // A simulator in which nothing goes wrong proves nothing.
  expect(endings.get('rolled-back')).toBeGreaterThan(range.seeds / 10);
  expect(endings.get('completed')).toBeGreaterThan(range.seeds / 10);
  expect([...troubles].filter(([, days]) => days === 0)).toEqual([]);
}
