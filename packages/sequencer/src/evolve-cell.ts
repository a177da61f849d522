import type { RunEvent } from '@signalbox/protocol';
import { sequencerError } from './codes.ts';
import type { Cell, Phase, Stamp } from './state.ts';
import { nextPhase, type Trigger } from './transitions.ts';

type CellEvent = Extract<RunEvent, { type: `Step${string}` }>;

/** One step on one host, after one event. */
export function evolveCell(cell: Cell, event: CellEvent, { atMs, runMs }: Stamp): Cell {
  switch (event.type) {
    case 'StepStarted':
      return started(cell, event, { atMs, runMs });
    case 'StepAccepted':
      return { ...cell, accepted: true, before: cell.before ?? event.before };
    case 'StepSucceeded':
      return {
        ...ended(cell, step(cell, 'succeed', event), { atMs, runMs }),
        settled: settle(cell, event),
        applied: event.direction === 'undo' ? false : cell.applied,
        via: event.via,
        receipt: event.direction === 'do' ? { ...cell.before, ...event.receipt } : cell.receipt,
        values: event.values ?? cell.values,
        failure: undefined,
        durationMs: event.direction === 'do' ? event.durationMs : cell.durationMs,
      };
    case 'StepFailed':
      return {
        ...ended(cell, step(cell, 'fail', event), { atMs, runMs }),
        settled: settle(cell, event),
        applied: event.direction === 'do' && event.unapplied ? false : cell.applied,
        receipt: event.direction === 'do' && event.receipt ? { ...cell.before, ...event.receipt } : cell.receipt,
        values: event.values ?? cell.values,
        failure: event.failure,
      };
    case 'StepUnknown':
      return {
        ...ended(cell, step(cell, 'unknown', event), { atMs, runMs }),
        // Kept: the command can still be withdrawn, and a person wants to see what it was.
        work: cell.work,
        failure: event.failure,
        probed: event.probed,
      };
    case 'StepSkipped':
      return {
        ...ended(cell, step(cell, 'skip', event), { atMs, runMs }),
        applied: false,
        skippedBecause: event.reason,
      };
    case 'StepReset':
      return {
        ...cell,
        phase: step(cell, 'reset', event),
        direction: event.direction,
        work: undefined,
        accepted: false,
        // Withdrawn before the host began, on the first attempt: nothing was done. Else undo still has to look.
        applied: cell.applied && !(cell.phase === 'dispatched' && cell.attempts.do === 1),
        notBeforeRunMs: event.notBeforeRunMs,
        approvals: [],
        broken: undefined,
      };
  }
}

function started(cell: Cell, event: Extract<CellEvent, { type: 'StepStarted' }>, { atMs, runMs }: Stamp): Cell {
  const command = event.work.kind === 'command';
  // A proof that becomes a command, or an approval that becomes a round, is the same try: its clock goes on.
  const sameTry = cell.attempts[event.direction] === event.attempt && cell.direction === event.direction;
  return {
    ...cell,
    phase: step(cell, command ? 'dispatch' : 'wait', event),
    direction: event.direction,
    attempts: { ...cell.attempts, [event.direction]: event.attempt },
    work: event.work,
    accepted: false,
    applied: cell.applied || (event.direction === 'do' && (command || event.work.kind === 'manual')),
    failure: undefined,
    probed: undefined,
    notBeforeRunMs: undefined,
    startedAtMs: sameTry ? cell.startedAtMs : atMs,
    startedRunMs: sameTry ? cell.startedRunMs : runMs,
    endedAtMs: undefined,
    endedRunMs: undefined,
    broken: undefined,
  };
}

function step(cell: Cell, trigger: Trigger, event: CellEvent): Phase {
  const phase = nextPhase(cell.phase, trigger, event.direction);
  if (phase === undefined) {
    throw sequencerError('SB-RUN-LOG', `${event.type} (${event.direction}) cannot follow ${cell.phase} at ${cell.key}`);
  }
  return phase;
}

export function tryName({ direction, attempt }: { direction: string; attempt: number }): string {
  return `${direction}${attempt}`;
}

function settle(cell: Cell, event: { direction: string; attempt: number }): readonly string[] {
  return [...cell.settled, tryName(event)];
}

function ended(cell: Cell, phase: Phase, { atMs, runMs }: Stamp): Cell {
  return { ...cell, phase, work: undefined, endedAtMs: atMs, endedRunMs: runMs };
}
