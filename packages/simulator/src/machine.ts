import type { Life } from './life.ts';
import type { Cancel, Timeline } from './timeline.ts';

/** Epoch milliseconds at which every simulation begins. */
export const BEGIN_MS = 1_795_000_000_000;

/** The clocks of one machine. Its wall clock may jump; its monotonic clock begins anew with each boot. */
export class MachineClock {
  readonly #timeline: Timeline;
  #bootedMs: number;
  /** Wall clock minus true time. */
  wallOffsetMs = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#bootedMs = timeline.nowMs;
  }

  wallMs(): number {
    return Math.round(BEGIN_MS + this.#timeline.nowMs + this.wallOffsetMs);
  }

  monotonicMs(): number {
    return this.#timeline.nowMs - this.#bootedMs;
  }

  reboot(): void {
    this.#bootedMs = this.#timeline.nowMs;
  }
}

/** A clock as one process has it, under the names that agent and coordinator use. */
export function clockOf(life: Life, machine: MachineClock) {
  return {
    wallMs: () => machine.wallMs(),
    nowMs: () => machine.wallMs(),
    monotonicMs: () => machine.monotonicMs(),
    after: (ms: number, call: () => void): Cancel => life.after(ms, call),
  };
}
