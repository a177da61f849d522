import type { HoldReason, RunEvent } from '@signalbox/protocol';
import { type Cell, cellKey, isByHand, type Phase, type Stamp } from './cell.ts';
import type { Cells } from './cells.ts';
import { sequencerError } from './codes.ts';
import { nextPhase, type Trigger } from './transitions.ts';

type CellEvent = Extract<RunEvent, { type: `Step${string}` }>;
type Of<T extends CellEvent['type']> = Extract<CellEvent, { type: T }>;

/** One step on one host, after one event. @throws SB-RUN-LOG when it cannot follow. */
export function evolveCell(cell: Cell, event: CellEvent, stamp: Stamp): Cell {
  assertTry(cell, event);
  switch (event.type) {
    case 'StepStarted':
      return started(cell, event, stamp);
    case 'StepAccepted':
      // What the first attempt found is what undo restores; a retry finds its own traces [D2].
      return {
        ...cell,
        accepted: true,
        before: cell.before ?? (event.direction === 'do' ? event.before : undefined),
        sealed: withSealed(cell, event),
      };
    case 'StepSucceeded':
      return succeeded(cell, event, stamp);
    case 'StepFailed':
      return failed(cell, event, stamp);
    case 'StepUnknown':
      return {
        ...ended(cell, phaseAfter(cell, 'unknown', event), stamp),
        // Kept: the command can still be withdrawn, and a person wants to see what it was.
        work: cell.work,
        failure: event.failure,
        probed: event.probed,
      };
    case 'StepSkipped':
      return {
        ...ended(cell, phaseAfter(cell, 'skip', event), stamp),
        // Skipped after it failed: what it has left is still undone on the way back [I4].
        applied: event.direction === 'do' && (cell.phase === 'gated' ? cell.appliedBefore : cell.applied),
        skippedBecause: event.reason,
      };
    case 'StepReset':
      return reset(cell, event);
  }
}

function started(cell: Cell, event: Of<'StepStarted'>, { atMs, runMs }: Stamp): Cell {
  const { direction, attempt, work } = event;
  const sameTry = isCurrent(cell, event);
  const hasEffect = direction === 'do' && (work.kind === 'command' || isByHand(work));
  return {
    ...cell,
    phase: phaseAfter(cell, work.kind === 'command' ? 'dispatch' : 'wait', event),
    direction,
    attempts: { ...cell.attempts, [direction]: attempt },
    work,
    accepted: false,
    applied: cell.applied || hasEffect,
    appliedBefore: cell.applied,
    effectSinceRunMs: hasEffect && !cell.applied ? runMs : cell.effectSinceRunMs,
    failure: undefined,
    probed: undefined,
    notBeforeRunMs: undefined,
    // A proof that becomes a command, or an approval that becomes a round, is the same try: its clock goes on.
    startedAtMs: sameTry ? cell.startedAtMs : atMs,
    startedRunMs: sameTry ? cell.startedRunMs : runMs,
    workSinceRunMs: runMs,
    endedAtMs: undefined,
    endedRunMs: undefined,
    broken: undefined,
    unseen: undefined,
  };
}

function succeeded(cell: Cell, event: Of<'StepSucceeded'>, stamp: Stamp): Cell {
  const doing = event.direction === 'do';
  const byWord = event.via === 'operator' && cell.work?.kind !== 'manual' && cell.work?.kind !== 'approval';
  const phase = phaseAfter(cell, 'succeed', event);
  return {
    // A report that comes after an operator's word does not make it end later.
    ...(cell.phase === 'succeeded' ? cell : ended(cell, phase, stamp)),
    ...(byWord ? { declared: { ...cell.declared, [tryName(event)]: 'done' } } : { settled: settle(cell, event) }),
    applied: doing && cell.applied,
    via: event.via,
    receipt: doing ? { ...cell.before, ...event.receipt } : cell.receipt,
    values: event.values ?? cell.values,
    // Of a sample the newest says all; reports add up to the receipt.
    sealed: event.via === 'sample' && event.sealed !== undefined ? [event.sealed] : withSealed(cell, event),
    failure: undefined,
    durationMs: doing ? event.durationMs : cell.durationMs,
  };
}

function failed(cell: Cell, event: Of<'StepFailed'>, stamp: Stamp): Cell {
  const doing = event.direction === 'do';
  return {
    ...ended(cell, phaseAfter(cell, 'fail', event), stamp),
    // A try that could not even start is a try as well: its number is used up.
    direction: event.direction,
    attempts: { ...cell.attempts, [event.direction]: event.attempt },
    settled: settle(cell, event),
    // Only this try is proven to have done nothing; an earlier one may have left something [I4].
    applied: doing && event.unapplied && isCurrent(cell, event) ? cell.appliedBefore : cell.applied,
    receipt: doing && event.receipt ? { ...cell.before, ...event.receipt } : cell.receipt,
    values: event.values ?? cell.values,
    sealed: withSealed(cell, event),
    failure: event.failure,
  };
}

function withSealed({ sealed }: Cell, event: { direction: string; sealed?: string | undefined }): Cell['sealed'] {
  return event.direction === 'undo' || event.sealed === undefined ? sealed : [...(sealed ?? []), event.sealed];
}

function reset(cell: Cell, event: Of<'StepReset'>): Cell {
  const phase = phaseAfter(cell, 'reset', event);
  const open = cell.work?.kind === 'command';
  const byWord = event.by !== undefined;
  // Withdrawn before the host began, or found not applied: proof. An operator's word is not, undo still looks.
  const proven = open && !byWord && event.direction === 'do';
  const doneAgain = cell.phase === 'compensated';
  return {
    ...cell,
    phase,
    work: undefined,
    accepted: false,
    applied: doneAgain || (proven ? cell.appliedBefore : cell.applied),
    ...(open ? closeTry(cell, event, byWord || cell.probed === undefined) : {}),
    notBeforeRunMs: event.notBeforeRunMs,
    approvals: [],
    broken: undefined,
    unseen: undefined,
  };
}

/** A try that ends without its report: `unheard`, a report of it would contradict what is said now. */
function closeTry(
  cell: Cell,
  event: Of<'StepReset'>,
  unheard: boolean,
): Pick<Cell, 'declared'> | Pick<Cell, 'settled'> {
  if (!unheard) return { settled: settle(cell, event) };
  return { declared: { ...cell.declared, [tryName(event)]: 'not-done' } };
}

/** A report that contradicts what was declared is in the log with the hold that it led to; a copy of it is old news. */
export function declareSettled(cells: Cells, { cause, step, host, direction, attempt }: HoldReason): Cells {
  if (cause !== 'conflict' || step === undefined || direction === undefined || attempt === undefined) return cells;
  const cell = cells.get(cellKey(step, host ?? null));
  const name = tryName({ direction, attempt });
  if (!cell || cell.settled.includes(name)) return cells;
  return cells.with({ ...cell, settled: [...cell.settled, name] });
}

/** [I1] An event is about the present try, or begins the one that follows: no number is used twice or left out. */
function assertTry(cell: Cell, event: CellEvent): void {
  const { direction, attempt } = event;
  const continues = isCurrent(cell, event) && cell.work !== undefined;
  const begins = attempt === cell.attempts[direction] + 1;
  const first = cell.attempts[direction] === 0 && attempt === 1;
  const fits = {
    StepStarted: begins || continues,
    StepFailed: begins || isCurrent(cell, event),
    // Never tried, and left out by an operator.
    StepSkipped: isCurrent(cell, event) || first,
    StepAccepted: isCurrent(cell, event) && cell.work?.kind === 'command',
    StepSucceeded: isCurrent(cell, event),
    StepUnknown: isCurrent(cell, event),
    StepReset: isCurrent(cell, event),
  }[event.type];
  if (!fits) {
    const at = `${cell.direction} ${cell.attempts[cell.direction]}`;
    throw sequencerError('SB-RUN-LOG', `${event.type} of ${direction} ${attempt} at ${cell.key}, which is at ${at}`);
  }
}

function isCurrent(cell: Cell, { direction, attempt }: { direction: 'do' | 'undo'; attempt: number }): boolean {
  return cell.direction === direction && cell.attempts[direction] === attempt;
}

function phaseAfter(cell: Cell, trigger: Trigger, event: CellEvent): Phase {
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

export function newCell(step: string, host: string | null): Cell {
  return {
    key: cellKey(step, host),
    step,
    host,
    phase: 'pending',
    direction: 'do',
    attempts: { do: 0, undo: 0 },
    work: undefined,
    accepted: false,
    applied: false,
    appliedBefore: false,
    effectSinceRunMs: undefined,
    before: undefined,
    receipt: undefined,
    values: undefined,
    sealed: undefined,
    failure: undefined,
    probed: undefined,
    via: undefined,
    startedAtMs: undefined,
    startedRunMs: undefined,
    workSinceRunMs: undefined,
    endedAtMs: undefined,
    endedRunMs: undefined,
    durationMs: undefined,
    notBeforeRunMs: undefined,
    approvals: [],
    broken: undefined,
    unseen: undefined,
    skippedBecause: undefined,
    settled: [],
    declared: {},
  };
}
