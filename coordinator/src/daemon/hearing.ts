import type { Input } from '@signalbox/sequencer';

/** What people say of what hosts have done counts when the hosts could not say it themselves. */
export const OF_HOSTS: ReadonlySet<Input['type']> = new Set<Input['type']>(['resolve', 'retry', 'skip', 'drop']);

/** What lets a run go on because of how a host is now. */
export const GOOD_NEWS: ReadonlySet<Input['type']> = new Set<Input['type']>(['gateMet', 'proven', 'recorded']);
export const FRESH_MS = 2_000;

/** Whether the hosts of a run have said what they know, and what waits for that. */
export class Hearing {
  #over: boolean;
  #ended = false;
  #waiting: (() => void)[] = [];

  constructor(over: boolean) {
    this.#over = over;
  }

  /** They have said it. */
  get over(): boolean {
    return this.#over;
  }

  /** They have to say it again. */
  begin(): void {
    this.#over = false;
  }

  finish(): void {
    this.#over = true;
    this.#goOn();
  }

  /** Nobody here will hear them any more: what waits is let go, and finds out by itself. */
  end(): void {
    this.#ended = true;
    this.#goOn();
  }

  /** At once when it is over, else then, in the order of asking. */
  when(work: () => void): void {
    if (this.#over || this.#ended) work();
    else this.#waiting.push(work);
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const work of waiting) work();
  }
}
