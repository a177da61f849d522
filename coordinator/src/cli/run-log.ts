import { type LogEntry, Plan } from '@signalbox/protocol';
import { evolveEntry, initialState, type RunState } from '@signalbox/sequencer';
import type { MeshClient } from './client.ts';
import { cliError } from './codes.ts';

/**
 * A run as its log tells it, folded here by the same code as in the coordinator: what is on the screen is what is in
 * the log, and nothing else.
 */
export class RunLog {
  readonly run: string;
  readonly planText: string;
  readonly #client: MeshClient;
  readonly #entries: LogEntry[] = [];
  #state: RunState;

  private constructor(client: MeshClient, run: string, planText: string) {
    this.#client = client;
    this.run = run;
    this.planText = planText;
    this.#state = initialState(run, readPlan(planText, `the plan of ${run}`));
  }

  /** Reads the whole log. @throws SB-COORD-NO-RUN and what asking throws. */
  static async open(client: MeshClient, run: string): Promise<RunLog> {
    const { plan = '', entries, more } = await client.ask('log', { run, from: 0, plan: true });
    const log = new RunLog(client, run, plan);
    log.#fold(entries);
    if (more) await log.refresh();
    return log;
  }

  get state(): RunState {
    return this.#state;
  }

  get entries(): readonly LogEntry[] {
    return this.#entries;
  }

  /** Takes in what is new since the last look. */
  async refresh(): Promise<readonly LogEntry[]> {
    const before = this.#entries.length;
    for (let more = true; more; ) {
      const reply = await this.#client.ask('log', { run: this.run, from: this.#entries.length, plan: false });
      this.#fold(reply.entries);
      more = reply.more && reply.entries.length > 0;
    }
    return this.#entries.slice(before);
  }

  #fold(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      // Two looks may overlap; an entry counts once.
      if (entry.index !== this.#entries.length) continue;
      this.#state = evolveEntry(this.#state, entry);
      this.#entries.push(entry);
    }
  }
}

/** @throws SB-CLI-PLAN */
export function readPlan(text: string, what: string): Plan {
  try {
    return Plan.parse(JSON.parse(text));
  } catch (cause) {
    throw cliError('SB-CLI-PLAN', `${what} cannot be read as a plan`, { cause });
  }
}
