const FIRST_MS = 50;
const MOST_MS = 2_000;

/**
 * Wait before try `attempt` (from 0), doubling up to 2 s. Half of it is jitter: a mesh whose server restarts must not come
 * back in one instant.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return full / 2 + (random() * full) / 2;
}
