import { LogEntry } from '@signalbox/protocol';
import type { Death } from './given.ts';
import type { Chance } from './random.ts';
import type { Timeline } from './timeline.ts';

const ENDS: ReadonlySet<string> = new Set(['StepSucceeded', 'StepFailed', 'StepUnknown']);

export interface DeathAtStepOptions {
  readonly death: Death;
  readonly timeline: Timeline;
  readonly chance: Chance;
  /** Ends the host of this name for so long, or the coordinator when there is none. */
  readonly kill: (host: string | null, downMs: number) => void;
}

/** Comes when the step has begun on its host, and at the latest when it has ended there; and only once. */
export class DeathAtStep {
  readonly #options: DeathAtStepOptions;
  #struck = false;

  constructor(options: DeathAtStepOptions) {
    this.#options = options;
  }

  /** The step was reached. */
  get struck(): boolean {
    return this.#struck;
  }

  appended(data: Uint8Array): void {
    if (this.#struck) return;
    const { death, timeline, chance } = this.#options;
    const { events } = LogEntry.parse(JSON.parse(Buffer.from(data).toString('utf8')));
    const about = events.filter((event) => 'host' in event && 'step' in event && isAt(event, death));
    if (about.some(({ type }) => type === 'StepStarted')) {
      timeline.in(chance.between(0, death.withinMs), () => this.#strike());
    } else if (about.some(({ type }) => ENDS.has(type))) this.#strike();
  }

  #strike(): void {
    if (this.#struck) return;
    this.#struck = true;
    const { death, chance, kill } = this.#options;
    kill(death.host, chance.hits(0.5) ? chance.between(5_000, 20_000) : chance.between(60_000, 90_000));
  }
}

function isAt(event: { step?: string | undefined; host?: string | null | undefined }, { step, host }: Death): boolean {
  return event.step === step && event.host === host;
}
