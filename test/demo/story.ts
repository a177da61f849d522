import type { Json, LogEntry, RunEvent } from '@signalbox/protocol';
import { spokenId } from '@signalbox/sequencer';
import type { Paint } from './paint.ts';

/** One line a fact, in the words of the run log; nothing for what a viewer need not know. */
export function tellEntry({ events }: Pick<LogEntry, 'events'>, paint: Paint): string[] {
  return events.flatMap((event) => tellEvent(event, paint) ?? []);
}

const STEP_WIDTH = 20;
const HOST_WIDTH = 8;

function place({ step, host }: { step: string; host: string | null }): string {
  return `${spokenId(step).padEnd(STEP_WIDTH)} ${(host ?? '').padEnd(HOST_WIDTH)}`;
}

function tellEvent(event: RunEvent, { green, red, yellow, dim, bold }: Paint): string | undefined {
  switch (event.type) {
    case 'RunCreated':
      return dim(`${event.runbook}: the plan ${event.planHash.slice(0, 8)} is started by ${event.by.name}`);
    case 'Led':
      return event.epoch > 1 ? green(`coordinator ${event.coordinator} leads again, epoch ${event.epoch}`) : undefined;
    case 'StepSucceeded': {
      const mark = event.direction === 'undo' && event.via !== 'sample' ? yellow('↩') : green('✓');
      return `${mark} ${place(event)} ${dim(facts(event))}`;
    }
    case 'StepFailed':
      return `${red('✗')} ${place(event)} ${red(event.failure.message)} ${dim(event.failure.code)}`;
    case 'StepUnknown':
      return `${yellow('?')} ${place(event)} ${yellow(event.failure.message)}`;
    case 'StepSkipped':
      return `${dim('-')} ${place(event)} ${dim(event.reason)}`;
    case 'UndoStarted':
      return bold(yellow(`↩ everything is taken back: ${event.reason.message}`));
    case 'FenceBroken':
      return red(`fence ${event.step} ${event.unseen ? 'unseen' : 'broke'} on ${event.host}: ${event.why}`);
    case 'Held':
      return bold(red(`■ held: ${event.reasons.map(({ failure }) => failure.message).join('; ')}`));
    case 'Ended':
      return bold(event.outcome === 'completed' ? green('● completed') : yellow(`● ${event.outcome}`));
    default:
      return undefined;
  }
}

/** What a viewer wants to know of a success: how long it took, or the values that passed the gate. */
function facts({ values, durationMs }: Extract<RunEvent, { type: 'StepSucceeded' }>): string {
  const shown = Object.entries(values ?? {}).filter(([name]) => WORTH_SHOWING.includes(name));
  if (shown.length > 0) return shown.map(([name, value]) => `${name} ${show(value)}`).join('  ');
  return durationMs === undefined ? '' : `${(durationMs / 1000).toFixed(1)}s`;
}

const WORTH_SHOWING = ['height', 'peers', 'sharesSubmitted', 'processes'];

const show = (value: Json) => (typeof value === 'string' ? value : JSON.stringify(value));
