import type { Clock } from '../daemon/ports.ts';

/** A clock that stands still until it is told to go on; timers fire in order of their time. */
export class ManualClock implements Clock {
  #nowMs = 0;
  /** Wall clock minus monotonic clock: may jump. */
  wallOffsetMs = 1_795_000_000_000;
  readonly #timers = new Set<{ dueMs: number; callback: () => void }>();

  wallMs = () => this.wallOffsetMs + this.#nowMs;
  monotonicMs = () => this.#nowMs;

  after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Goes on by `ms`; lets everything that a timer sets off settle before the next one. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      await settle();
      const due = [...this.#timers].filter((t) => t.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      due.callback();
    }
    this.#nowMs = endMs;
    await settle();
  }
}

/** Everything that is ready to run has run: promises settle before the event loop comes round. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
