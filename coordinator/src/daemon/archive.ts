import { SignalboxError } from '@signalbox/protocol';
import type { Ports } from './ports.ts';
import { isStored, type LoadedRun, loadRun } from './run-log.ts';

export interface RunSummary {
  readonly run: string;
  readonly runbook: string;
  readonly status: string;
  readonly createdAtMs: number;
  readonly endedAtMs?: number;
  readonly by: string;
}

/**
 * Runs as their logs have them, for whoever does not lead them: read once, and again when there is more. What is stored may
 * be less than it was when a connection comes back, so what was read before is compared with it then, the end of a run as well.
 */
export class Archive {
  readonly #ports: Ports;
  readonly #read = new Map<string, LoadedRun>();
  /** Read over a connection that was lost since. */
  #doubted: ReadonlySet<string> = new Set();

  constructor(ports: Ports) {
    this.#ports = ports;
    ports.bus.onConnection((connected) => {
      if (!connected) this.#doubted = new Set(this.#read.keys());
    });
  }

  /** @throws SB-COORD-NO-RUN, SB-RUN-LOG, what the bus throws. */
  async load(run: string): Promise<LoadedRun> {
    const { bus } = this.#ports;
    const known = this.#read.get(run);
    if (known && (this.isClosed(run) || (await isStored(bus, known)))) {
      this.#trust(run);
      return known;
    }
    this.#read.delete(run);
    const loaded = await loadRun(bus, run);
    this.keep(loaded);
    return loaded;
  }

  /** True when the run is known to be over for good: nothing that moves will be appended to it. */
  isClosed(run: string): boolean {
    return this.#read.get(run)?.state.closed === true && !this.#doubted.has(run);
  }

  keep(loaded: LoadedRun): void {
    this.#read.set(loaded.state.run, loaded);
    this.#trust(loaded.state.run);
  }

  #trust(run: string): void {
    if (this.#doubted.has(run)) this.#doubted = new Set([...this.#doubted].filter((other) => other !== run));
  }
}

/** One line of the list of runs; a run that cannot be read is in it as well. */
export async function summaryOf(run: string, load: (run: string) => Promise<LoadedRun>): Promise<RunSummary> {
  try {
    const { state } = await load(run);
    const { createdAtMs, endedAtMs, status, submitter, plan } = state;
    return {
      run,
      runbook: plan.runbook.name,
      status,
      createdAtMs,
      ...(endedAtMs === undefined ? {} : { endedAtMs }),
      by: submitter.name,
    };
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    return { run, runbook: '?', status: `unreadable: ${error.code}`, createdAtMs: 0, by: '?' };
  }
}
