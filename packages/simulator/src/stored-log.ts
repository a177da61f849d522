import type { StoredEntry } from '@signalbox/bus';
import type { LogEntry, Plan, RunEvent } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { cellKey, evolve, initialState, type RunState } from '@signalbox/sequencer';
import { must } from './broken.ts';

/** The log of the run as NATS has it now, folded. */
export class StoredLog {
  readonly #run: string;
  readonly #plan: Plan;
  #entries: LogEntry[] = [];
  #hashes = new Set<string>();
  #previous = '';
  #state: RunState;
  #ids = new Set<string>();
  #declared = new Set<string>();

  constructor(run: string, plan: Plan) {
    this.#run = run;
    this.#plan = plan;
    this.#state = initialState(run, plan);
  }

  get state(): RunState {
    return this.#state;
  }

  /** Of all commands that it asks for. */
  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  /** `step@host` of what a person, not a host, has said the outcome of. */
  get declared(): ReadonlySet<string> {
    return this.#declared;
  }

  /** Whether an entry with this hash is in it. */
  has(hash: string): boolean {
    return this.#hashes.has(hash);
  }

  /** `before` sees each event while the state is still the one before it. @throws Broken */
  append(data: Uint8Array, before: (event: RunEvent, entry: LogEntry) => void): void {
    const entry: LogEntry = JSON.parse(Buffer.from(data).toString('utf8'));
    must('I6', entry.index === this.#entries.length, `entry ${entry.index} stored as number ${this.#entries.length}`);
    must('I6', entry.previous === this.#previous, `entry ${entry.index} does not follow the one before`);
    must('I6', entry.epoch >= this.#state.epoch, `epoch ${entry.epoch} appended after epoch ${this.#state.epoch}`);
    this.#entries.push(entry);
    this.#previous = sha256(data);
    this.#hashes.add(this.#previous);
    for (const event of entry.events) {
      before(event, entry);
      this.#take(event, entry);
    }
  }

  /** It is what is stored now, which is how it began. @returns what it has lost. */
  putBack(stored: readonly StoredEntry[]): LogEntry[] {
    const lost = this.#entries.slice(stored.length);
    this.#entries = [];
    this.#hashes = new Set();
    this.#previous = '';
    this.#state = initialState(this.#run, this.#plan);
    this.#ids = new Set();
    this.#declared = new Set();
    for (const { data } of stored) this.append(data, () => {});
    return lost;
  }

  #take(event: RunEvent, entry: LogEntry): void {
    if (event.type === 'StepStarted' && event.work.kind === 'command') this.#ids.add(event.work.id);
    else if (event.type === 'StepSucceeded' && event.via === 'operator')
      this.#declared.add(cellKey(event.step, event.host));
    else if (event.type === 'StepReset' && event.by !== undefined)
      this.#declared.delete(cellKey(event.step, event.host));
    this.#state = evolve(this.#state, event, entry);
  }
}
