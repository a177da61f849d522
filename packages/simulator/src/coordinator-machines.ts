import { BEGIN_MS, MachineClock } from './machine.ts';
import type { Timeline } from './timeline.ts';

/** What coordinators run on: two machines, whose wall clocks need not agree. */
export class CoordinatorMachines {
  readonly clocks: readonly [MachineClock, MachineClock];
  /** Wall clock minus true time, as any of them has had it so far. */
  readonly #offsets = new Set([0]);

  constructor(timeline: Timeline) {
    this.clocks = [new MachineClock(timeline), new MachineClock(timeline)];
  }

  jump(clock: MachineClock, ms: number): void {
    clock.wallOffsetMs += ms;
    this.#offsets.add(clock.wallOffsetMs);
  }

  /** They are right again. */
  set(): void {
    for (const clock of this.clocks) clock.wallOffsetMs = 0;
  }

  /** How far behind the true time one of them was at most. */
  get slowestMs(): number {
    return -Math.min(...this.#offsets);
  }

  /** The moments of the day at which one of them may have read this. */
  momentsOf(wallMs: number): number[] {
    return [...this.#offsets].map((offsetMs) => wallMs - offsetMs - BEGIN_MS);
  }
}
