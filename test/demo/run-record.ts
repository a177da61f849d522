import { commandId, type LogEntry, type RunEvent } from '@signalbox/protocol';
import { spokenId } from '@signalbox/sequencer';

export type StepOutcome = 'succeeded' | 'failed' | 'unknown' | 'compensated' | 'skipped' | 'dropped';

/** One step on one host, as the demo's JSON names it. */
export interface StepRecord {
  id: string;
  host: string | null;
  outcome: StepOutcome;
}

/** What became of a run, folded from its log as `signalbox events` prints it. */
export class RunRecord {
  readonly runId: string;
  /** Ids of the commands that agents have accepted, both directions. */
  readonly accepted = new Set<string>();
  runbook = '';
  outcome: string | undefined;
  /** How many undos are done. */
  undone = 0;
  coordinators = 0;
  /** When the newest leader took over. */
  ledAtMs = 0;
  /** Steps that wait or run right now, each with its host. */
  readonly running = new Set<string>();
  readonly #steps = new Map<string, StepRecord>();
  #createdAtMs = 0;
  #endedAtMs = 0;
  readonly #commands = new Map<string, string>();

  constructor(runId: string) {
    this.runId = runId;
  }

  get steps(): StepRecord[] {
    return [...this.#steps.values()];
  }

  get durationMs(): number {
    return this.#endedAtMs - this.#createdAtMs;
  }

  add({ atMs, events }: Pick<LogEntry, 'atMs' | 'events'>): void {
    for (const event of events) this.#addEvent(event, atMs);
  }

  #addEvent(event: RunEvent, atMs: number): void {
    switch (event.type) {
      case 'RunCreated':
        this.runbook = event.runbook;
        this.#createdAtMs = atMs;
        break;
      case 'Led':
        this.coordinators += 1;
        this.ledAtMs = atMs;
        break;
      case 'StepStarted':
        this.running.add(placeOf(event));
        if (event.work.kind === 'command') this.#commands.set(tryKey(event), event.work.id);
        break;
      case 'StepAccepted':
        this.#accept(event);
        break;
      case 'StepSucceeded':
        this.#accept(event);
        if (event.direction === 'undo') this.undone += 1;
        // A gate that is passed on the way back takes nothing back.
        this.#settle(
          event,
          this.#commands.has(tryKey(event)) && event.direction === 'undo' ? 'compensated' : 'succeeded',
        );
        break;
      case 'StepFailed':
        if (!event.unapplied) this.#accept(event);
        this.#settle(event, 'failed');
        break;
      case 'StepUnknown':
        this.#settle(event, 'unknown');
        break;
      case 'StepSkipped':
        this.#settle(event, 'skipped');
        break;
      case 'Ended':
        this.outcome = event.outcome;
        this.#endedAtMs = atMs;
        break;
    }
  }

  /** Gates have no command; what an outcome says of them is no execution on a host. */
  #accept(event: { step: string; host: string | null; direction: 'do' | 'undo'; attempt: number }): void {
    if (event.host === null || !this.#commands.has(tryKey(event))) return;
    this.accepted.add(commandId({ ...event, host: event.host, run: this.runId }));
  }

  #settle({ step, host }: { step: string; host: string | null }, outcome: StepOutcome): void {
    this.running.delete(placeOf({ step, host }));
    this.#steps.set(placeOf({ step, host }), { id: spokenId(step), host, outcome });
  }
}

const placeOf = ({ step, host }: { step: string; host: string | null }) =>
  host === null ? step : `${step} on ${host}`;

function tryKey(event: { step: string; host: string | null; direction: string; attempt: number }): string {
  return `${placeOf(event)} ${event.direction} ${event.attempt}`;
}
