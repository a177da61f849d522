import { type Failure, formatDuration, type LogEntry, type RunEvent } from '@signalbox/protocol';
import { spokenId } from '@signalbox/sequencer';
import { safeText } from '../cli/safe-text.ts';
import { valueText } from './values.ts';

export interface EventLine {
  readonly atMs: number;
  readonly text: string;
  /** Something that a person did or must know, not the run's ordinary course. */
  readonly notable: boolean;
}

export function eventLines(entries: readonly LogEntry[]): EventLine[] {
  return entries.flatMap(({ atMs, events }) =>
    events.map((event) => ({ atMs, text: safeText(describeEvent(event)), notable: !ORDINARY.has(event.type) })),
  );
}

const ORDINARY: ReadonlySet<RunEvent['type']> = new Set<RunEvent['type']>([
  'Led',
  'StepStarted',
  'StepAccepted',
  'VoteGiven',
  'RunClosed',
]);

function at({ step, host }: { step: string; host?: string | null | undefined }): string {
  return host ? `${spokenId(step)} on ${host}` : spokenId(step);
}

function why({ code, message }: Failure): string {
  return `${code}: ${message}`;
}

function noted(note: string | undefined): string {
  return note === undefined ? '' : ` "${note}"`;
}

function waysOf(event: { direction: 'do' | 'undo'; attempt: number }): string {
  const again = event.attempt > 1 ? ` (attempt ${event.attempt})` : '';
  return `${event.direction === 'undo' ? 'undo of ' : ''}${again === '' ? '' : `${again.trim()} `}`;
}

/** One event of the run log as a sentence. */
export function describeEvent(event: RunEvent): string {
  switch (event.type) {
    case 'RunCreated':
      return `started by ${event.by.name}, plan ${event.planHash.slice(0, 8)}${noted(event.note)}`;
    case 'Led':
      return `led by ${event.coordinator}, epoch ${event.epoch}`;
    case 'StepStarted':
      return `${waysOf(event)}${at(event)} ${STARTED[event.work.kind]}`;
    case 'StepAccepted':
      return `${waysOf(event)}${at(event)} accepted`;
    case 'StepSucceeded': {
      const took = event.durationMs === undefined ? '' : ` in ${formatDuration(event.durationMs)}`;
      const by = event.by ? ` by the word of ${event.by.name}${noted(event.note)}` : '';
      return `${waysOf(event)}${at(event)} succeeded${took}${by}`;
    }
    case 'StepFailed':
      return `${waysOf(event)}${at(event)} failed: ${why(event.failure)}`;
    case 'StepUnknown':
      return `${waysOf(event)}${at(event)} UNKNOWN: ${why(event.failure)}`;
    case 'StepSkipped':
      return `${at(event)} skipped${event.by ? ` by ${event.by.name}` : ''}: ${event.reason}`;
    case 'StepReset':
      return `${at(event)} again: ${event.reason}`;
    case 'GateAdjusted':
      return `${event.step} adjusted by ${event.by.name}${noted(event.note)}`;
    case 'FenceBroken':
      return `fence ${at(event)} ${event.unseen ? 'UNSEEN' : 'BROKEN'}: ${event.why}`;
    default:
      return describeRunEvent(event);
  }
}

const STARTED: Readonly<Record<Extract<RunEvent, { type: 'StepStarted' }>['work']['kind'], string>> = {
  command: 'sent',
  proof: 'waits for proof that it is stopped elsewhere',
  gate: 'waits',
  record: 'is measured',
  approval: 'waits for approval',
  manual: 'waits for a person',
  round: 'asks its hosts to vote',
};

type RunLevel = Exclude<RunEvent, { type: `Step${string}` | 'RunCreated' | 'Led' | 'GateAdjusted' | 'FenceBroken' }>;

function describeRunEvent(event: RunLevel): string {
  switch (event.type) {
    case 'ApprovalGiven':
      return `${event.step} approved by ${event.by.name}${noted(event.note)}`;
    case 'ApprovalRejected':
      return `${event.step} REJECTED by ${event.by.name}${noted(event.note)}`;
    case 'ApprovalVoided':
      return `approvals of ${event.step} void: ${event.reason}`;
    case 'VoteGiven':
      return `${event.host} votes ${event.vote === 'yes' ? 'for' : 'AGAINST'} crossing ${event.step}${againstOf(event)}`;
    case 'Crossed':
      return `POINT OF NO RETURN ${event.step} crossed`;
    case 'HostSilent':
      return `${event.host} is silent`;
    case 'HostBack':
      return `${event.host} is back`;
    case 'HostDropping':
      return `${event.host} failed in ${event.group}, is undone there and dropped: ${why(event.failure)}`;
    case 'HostDropped':
      return `${event.host} dropped${event.by ? ` by ${event.by.name}` : ''}: ${event.reason}`;
    case 'Held':
      return `HELD: ${event.reasons.map((reason) => why(reason.failure)).join('; ')}`;
    case 'HoldLifted':
      return 'goes on: what was unknown is known now';
    case 'Paused':
      return `paused by ${event.by.name}${noted(event.note)}`;
    case 'Resumed':
      return `resumed by ${event.by.name}${noted(event.note)}`;
    case 'UndoStarted':
      return `is taken back${event.by ? ` by ${event.by.name}` : ''}: ${why(event.reason)}`;
    case 'Ended':
      return `ended: ${event.outcome}${event.leftovers.length > 0 ? `, ${event.leftovers.length} left to do by hand` : ''}`;
    case 'RunClosed':
      return 'closed';
    case 'NoteAdded':
      return `${event.by.name} note "${event.text}"`;
    case 'OwnerTaken':
      return `${event.by.name} took over`;
    case 'PageAcknowledged':
      return `page acknowledged by ${event.by.name}`;
    case 'BudgetPassed':
      return `budget of ${event.clock} passed: ${formatDuration(event.budgetMs)}`;
  }
}

function againstOf({ why, evidence }: Extract<RunEvent, { type: 'VoteGiven' }>): string {
  const reasons = evidence.flatMap((found) => (found.why === undefined ? [] : `${found.step} ${found.why}`));
  const all = why === undefined ? reasons : [why, ...reasons];
  return all.length > 0 ? `: ${all.join('; ')}` : '';
}

/** The values of a sample, for one line. */
export function valuesText(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values)
    .map(
      ([key, value]) =>
        `${safeText(key)} ${valueText(typeof value === 'object' ? JSON.stringify(value) : String(value))}`,
    )
    .join('  ');
}
