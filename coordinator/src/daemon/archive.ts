import { SignalboxError } from '@signalbox/protocol';
import type { Ports } from './ports.ts';
import { type LoadedRun, loadRun } from './run-log.ts';

export interface RunSummary {
  readonly run: string;
  readonly runbook: string;
  readonly status: string;
  readonly createdAtMs: number;
  readonly endedAtMs?: number;
  readonly by: string;
}

/** Runs as their logs have them, for whoever does not lead them: read once, and again when there is more. */
export class Archive {
  readonly #ports: Ports;
  readonly #read = new Map<string, LoadedRun>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** @throws SB-COORD-NO-RUN, SB-RUN-LOG, what the bus throws. */
  async load(run: string): Promise<LoadedRun> {
    const { bus } = this.#ports;
    const known = this.#read.get(run);
    if (known && (known.state.closed || (await bus.lastEntry(run))?.sequence === known.head.sequence)) return known;
    const loaded = await loadRun(bus, run);
    this.#read.set(run, loaded);
    return loaded;
  }

  /** True when the run is known to be over for good: nothing that moves will be appended to it. */
  isClosed(run: string): boolean {
    return this.#read.get(run)?.state.closed === true;
  }

  keep(loaded: LoadedRun): void {
    this.#read.set(loaded.state.run, loaded);
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
