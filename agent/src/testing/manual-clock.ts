import type { Clock } from '../ports.ts';

export interface ManualClock extends Clock {
  /** Moves both clocks and calls what is due, in order, letting promises run in between. */
  advance(ms: number): Promise<void>;
  /** The wall clock alone: somebody set it. */
  jump(ms: number): void;
}

/** A clock that stands still until a test moves it. */
export function manualClock(startMs = 1_800_000_000_000): ManualClock {
  let monotonicMs = 0;
  let wallMs = startMs;
  let timers: { atMs: number; call: () => void }[] = [];
  const due = (endMs: number) => timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];

  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    after(ms, call) {
      const timer = { atMs: monotonicMs + ms, call };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    jump(ms) {
      wallMs += ms;
    },
    async advance(ms) {
      const endMs = monotonicMs + ms;
      await settled();
      for (let timer = due(endMs); timer !== undefined; timer = due(endMs)) {
        const next = timer;
        timers = timers.filter((other) => other !== next);
        const stepMs = Math.max(0, next.atMs - monotonicMs);
        monotonicMs += stepMs;
        wallMs += stepMs;
        next.call();
        await settled();
      }
      wallMs += endMs - monotonicMs;
      monotonicMs = endMs;
    },
  };
}

/** Lets everything run that waits for nothing but promises: an immediate comes after all of them. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise<void>((resolve) => void setImmediate(resolve));
}
