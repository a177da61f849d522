import { pino } from 'pino';
import type { Timeline } from './timeline.ts';

const SILENT_LOG = pino({ level: 'silent' });

/** What happens on a day, line by line, for a person to read. Costs nothing when nobody is going to. */
export class Story {
  readonly #timeline: Timeline;
  readonly #lines: string[] | undefined;

  constructor(timeline: Timeline, kept: boolean) {
    this.#timeline = timeline;
    this.#lines = kept ? [] : undefined;
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  say(who: string, what: () => string): void {
    this.#lines?.push(this.line(who, what()));
  }

  line(who: string, what: string): string {
    return `${(this.#timeline.nowMs / 1_000).toFixed(3).padStart(9)}  ${who.padEnd(16)}  ${what}`;
  }

  /** An entry of the run log; `before` is the status of the run until then. */
  appended(data: Uint8Array, before: string): void {
    if (!this.#lines) return;
    const { events, epoch } = JSON.parse(Buffer.from(data).toString('utf8'));
    for (const { type, step, host, direction, attempt, ...rest } of events) {
      const of = step === undefined ? '' : ` ${step}@${host ?? '-'} ${direction ?? ''}${attempt ?? ''}`;
      const more = type === 'StepStarted' ? rest.work.kind : textOf(rest).slice(0, 160);
      this.say('log', () => `${type}${of} ${more} (epoch ${epoch}, was ${before})`);
    }
  }

  /** A program's log that becomes part of the story. */
  logOf(name: string) {
    if (!this.#lines) return SILENT_LOG;
    const write = (line: string) => {
      const { level: _level, msg, ...fields } = JSON.parse(line);
      this.say(name, () => `${msg} ${textOf(fields).slice(0, 200)}`);
    };
    return pino({ level: 'info', base: {}, timestamp: false }, { write });
  }
}

export function textOf(fields: object | undefined): string {
  return fields === undefined ? '' : JSON.stringify(fields);
}
