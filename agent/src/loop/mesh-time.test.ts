import { describe, expect, it } from 'vitest';
import { manualClock } from '../testing/manual-clock.ts';
import { createMeshTime } from './mesh-time.ts';

/** A coordinator whose clock is `ahead` of ours; a beat takes 100 ms there and back. */
async function heardOnce(aheadMs: number) {
  const clock = manualClock(1_000_000);
  const time = createMeshTime(clock, { maxSkewMs: 30_000 });
  const sentMonotonicMs = clock.monotonicMs();
  await clock.advance(50);
  const coordinatorNowMs = clock.nowMs() + aheadMs;
  await clock.advance(50);
  time.learn({ sentMonotonicMs, coordinatorNowMs });
  return { clock, time, coordinatorMs: () => clock.nowMs() + aheadMs };
}

describe('[I7] the time of the mesh', () => {
  it('is not known before a beat was answered', () => {
    const time = createMeshTime(manualClock(), { maxSkewMs: 30_000 });
    expect(time.bound().type).toBe('unknown');
  });

  it.each([-20_000, 0, 20_000])('is never later than its bound, with a clock that is %i ms away', async (aheadMs) => {
    const { time, coordinatorMs, clock } = await heardOnce(aheadMs);
    for (const ms of [0, 1_000, 60_000]) {
      await clock.advance(ms);
      const bound = time.bound();
      if (bound.type !== 'bounded') throw new Error(bound.failure.message);
      expect(bound.latestMs).toBeGreaterThanOrEqual(coordinatorMs());
      expect(bound.latestMs - coordinatorMs()).toBeLessThan(50 + clock.monotonicMs() * 0.001);
    }
    expect(time.skewMs()).toBeCloseTo(-aheadMs);
  });

  it.each([-30_001, 30_001])('is too far away at %i ms', async (aheadMs) => {
    const { time } = await heardOnce(aheadMs);
    expect(time.bound()).toMatchObject({ type: 'apart', failure: { code: 'SB-CLOCK' } });
  });

  it('is unknown after the wall clock jumped, until the next beat', async () => {
    const { time, clock } = await heardOnce(0);
    clock.jump(-5_000);
    expect(time.bound()).toMatchObject({ type: 'unknown', failure: { message: expect.stringContaining('jumped') } });
    time.learn({ sentMonotonicMs: clock.monotonicMs(), coordinatorNowMs: clock.nowMs() });
    expect(time.bound().type).toBe('bounded');
  });

  it('is forgotten when nobody has answered for very long', async () => {
    const { time, clock } = await heardOnce(0);
    await clock.advance(24 * 3_600_000);
    expect(time.bound().type).toBe('unknown');
  });
});
