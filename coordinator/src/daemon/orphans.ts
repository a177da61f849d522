import { SignalboxError } from '@signalbox/protocol';
import type { Archive } from './archive.ts';
import type { Members } from './members.ts';
import type { Ports } from './ports.ts';
import type { LoadedRun } from './run-log.ts';

interface Orphan {
  /** Since when it has been seen so, on this coordinator's own clock. */
  readonly sinceMs: number;
  /** How much longer than its turn this coordinator waits for it: not all may reach for it at once. */
  readonly extraMs: number;
}

export interface OrphansOptions {
  readonly ports: Ports;
  readonly members: Members;
  readonly archive: Archive;
  readonly isLedHere: (run: string) => boolean;
}

/** Runs that are open and that no coordinator is known to lead. */
export class Orphans {
  readonly #options: OrphansOptions;
  readonly #seen = new Map<string, Orphan>();
  /** Runs that cannot be read, and so be led by nobody of this version, and why [D5]. */
  readonly unreadable = new Map<string, string>();

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  get ids(): string[] {
    return [...this.#seen.keys()];
  }

  /** Reads what is open and in nobody's lease. */
  async find(): Promise<Map<string, LoadedRun>> {
    const { ports, members, archive, isLedHere } = this.#options;
    const { bus, clock, random } = ports;
    const open = new Map<string, LoadedRun>();
    for (const run of await bus.listRuns()) {
      if (isLedHere(run) || archive.isClosed(run) || members.leaderOf(run)) continue;
      const loaded = await this.#read(run);
      if (loaded && !loaded.state.closed) open.set(run, loaded);
    }
    for (const run of this.#seen.keys()) if (!open.has(run)) this.#seen.delete(run);
    for (const run of open.keys()) {
      const fresh: Orphan = { sinceMs: clock.monotonicMs(), extraMs: random() * members.leaseMs };
      this.#seen.set(run, this.#seen.get(run) ?? fresh);
    }
    return open;
  }

  /** Dealt to somebody who has not taken it up. */
  isOverdue(run: string): boolean {
    const { ports, members } = this.#options;
    const orphan = this.#seen.get(run);
    return orphan !== undefined && ports.clock.monotonicMs() - orphan.sinceMs > 2 * members.leaseMs + orphan.extraMs;
  }

  /** It is led from here on. */
  remove(run: string): void {
    this.#seen.delete(run);
  }

  async #read(run: string): Promise<LoadedRun | undefined> {
    try {
      const loaded = await this.#options.archive.load(run);
      this.unreadable.delete(run);
      return loaded;
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      if (this.unreadable.get(run) !== error.message) {
        this.#options.ports.log.error({ run, code: error.code }, error.message);
      }
      this.unreadable.set(run, error.message);
      return undefined;
    }
  }
}
