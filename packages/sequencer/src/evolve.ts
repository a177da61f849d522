import type { Direction, LogEntry, Plan, RunEvent } from '@signalbox/protocol';
import { sequencerError } from './codes.ts';
import { evolveCell } from './evolve-cell.ts';
import { type Cell, cellKey, type RunState, type Stamp } from './state.ts';
import { indexOf } from './tree.ts';

/** The state before the first event: a plan that nobody has started. */
export function initialState(run: string, plan: Plan): RunState {
  const cells = new Map(indexOf(plan).refs.map((ref) => [ref.key, newCell(ref.leaf.id, ref.host)]));
  return {
    run,
    mesh: plan.mesh,
    plan,
    planHash: '',
    status: 'planned',
    direction: 'do',
    submitter: { name: '', key: '' },
    owner: '',
    epoch: 0,
    nonce: '',
    createdAtMs: 0,
    atMs: 0,
    runMs: 0,
    endedAtMs: undefined,
    cells,
    crossed: [],
    rounds: 0,
    reasons: [],
    heldSinceMs: undefined,
    undoReason: undefined,
    dropping: new Map(),
    dropped: new Map(),
    silent: new Set(),
    adjustments: new Map(),
    deadlines: new Set(),
    budgets: new Set(),
    acknowledgedBy: undefined,
    notes: [],
    leftovers: [],
    closed: false,
  };
}

/** Folds one log entry. Pure: the same log gives the same state, in any process, at any time. */
export function evolveEntry(state: RunState, entry: Pick<LogEntry, 'atMs' | 'runMs' | 'events'>): RunState {
  return entry.events.reduce((s, event) => evolve(s, event, entry), state);
}

/** @throws SB-RUN-LOG when the event cannot follow what the log says already. */
export function evolve(before: RunState, event: RunEvent, { atMs, runMs }: Stamp): RunState {
  const state: RunState = { ...before, atMs, runMs };
  switch (event.type) {
    case 'RunCreated':
      return {
        ...state,
        status: 'running',
        planHash: event.planHash,
        submitter: event.by,
        owner: event.by.name,
        createdAtMs: atMs,
      };
    case 'Led':
      if (event.epoch <= state.epoch) throw sequencerError('SB-RUN-LOG', `epoch ${event.epoch} after ${state.epoch}`);
      return { ...state, epoch: event.epoch, nonce: event.nonce };
    case 'StepStarted': {
      const rounds = event.work.kind === 'round' ? event.work.round : state.rounds;
      return withCell({ ...state, rounds }, event, (cell) => evolveCell(cell, event, { atMs, runMs }));
    }
    case 'StepAccepted':
    case 'StepSucceeded':
    case 'StepFailed':
    case 'StepUnknown':
    case 'StepSkipped':
    case 'StepReset':
      return withCell(state, event, (cell) => evolveCell(cell, event, { atMs, runMs }));
    case 'FenceBroken':
      return withCell(state, event, (cell) => ({ ...cell, broken: event.why, values: event.values }));
    case 'ApprovalGiven':
      return withCell(state, { ...event, host: null }, (cell) => ({
        ...cell,
        approvals: [...cell.approvals, { by: event.by, atMs, runMs, note: event.note }],
      }));
    case 'ApprovalRejected':
    case 'ApprovalVoided':
      return withCell(state, { ...event, host: null }, (cell) => ({ ...cell, approvals: [] }));
    case 'Crossed':
      return { ...state, crossed: [...state.crossed, event.step] };
    case 'GateAdjusted': {
      const earlier = state.adjustments.get(event.step);
      const next = { timeoutMs: event.timeoutMs ?? earlier?.timeoutMs, until: event.until ?? earlier?.until };
      return { ...state, adjustments: new Map(state.adjustments).set(event.step, next) };
    }
    case 'HostSilent':
      return { ...state, silent: new Set(state.silent).add(event.host) };
    case 'HostBack':
      return { ...state, silent: new Set([...state.silent].filter((host) => host !== event.host)) };
    case 'HostDropping':
      return {
        ...state,
        dropping: new Map(state.dropping).set(event.host, { group: event.group, failure: event.failure }),
      };
    case 'HostDropped':
      return dropHost(state, event);
    default:
      return evolveRun(state, event);
  }
}

type StepEvent = Extract<RunEvent, { type: `Step${string}` }>;
type RunLevelEvent = Exclude<
  RunEvent,
  | StepEvent
  | { type: 'RunCreated' | 'Led' | 'FenceBroken' | 'ApprovalGiven' | 'ApprovalRejected' | 'ApprovalVoided' }
  | { type: 'Crossed' | 'GateAdjusted' | 'HostSilent' | 'HostBack' | 'HostDropping' | 'HostDropped' }
>;

function evolveRun(state: RunState, event: RunLevelEvent): RunState {
  switch (event.type) {
    case 'Held': {
      const deadlines = event.reasons.flatMap((r) => (r.cause === 'deadline' && r.step ? [r.step] : []));
      return {
        ...state,
        status: 'held',
        reasons: event.reasons,
        heldSinceMs: state.heldSinceMs ?? state.atMs,
        acknowledgedBy: undefined,
        deadlines: new Set([...state.deadlines, ...deadlines]),
      };
    }
    case 'HoldLifted':
    case 'Resumed':
      return { ...state, status: moving(state.direction), reasons: [], heldSinceMs: undefined };
    case 'Paused':
      return { ...state, status: 'paused' };
    case 'UndoStarted':
      return startUndo(state, event);
    case 'Ended':
      return { ...state, status: event.outcome, endedAtMs: state.atMs, leftovers: event.leftovers, reasons: [] };
    case 'RunClosed':
      return { ...state, closed: true };
    case 'NoteAdded':
      return { ...state, notes: [...state.notes, { atMs: state.atMs, by: event.by.name, text: event.text }] };
    case 'OwnerTaken':
      return { ...state, owner: event.by.name };
    case 'PageAcknowledged':
      return { ...state, acknowledgedBy: event.by.name };
    case 'BudgetPassed':
      return { ...state, budgets: new Set(state.budgets).add(event.clock) };
  }
}

function moving(direction: Direction): 'running' | 'compensating' {
  return direction === 'do' ? 'running' : 'compensating';
}

/** What waited on the way forward and had no effect waits no longer: gates, approvals, proofs that were not met yet. */
function startUndo(state: RunState, event: Extract<RunEvent, { type: 'UndoStarted' }>): RunState {
  if (state.crossed.length > 0) throw sequencerError('SB-RUN-LOG', '[I3] undo after a point of no return');
  const cells = new Map(state.cells);
  for (const [key, cell] of cells) {
    if (cell.phase === 'gated' && cell.work?.kind !== 'manual') {
      cells.set(key, { ...cell, phase: 'pending', work: undefined });
    }
  }
  const deadlines = event.reason.code === 'SB-DEADLINE' && event.step ? [event.step] : [];
  return {
    ...state,
    cells,
    direction: 'undo',
    status: 'compensating',
    undoReason: event.reason,
    reasons: [],
    heldSinceMs: undefined,
    dropping: new Map(),
    deadlines: new Set([...state.deadlines, ...deadlines]),
  };
}

/** Whatever the host has not begun, it never will in this run. */
function dropHost(state: RunState, event: Extract<RunEvent, { type: 'HostDropped' }>): RunState {
  const cells = new Map(state.cells);
  for (const [key, cell] of cells) {
    if (cell.host !== event.host) continue;
    if (cell.phase === 'pending' && cell.direction === 'do') cells.set(key, { ...cell, phase: 'dropped' });
    if (cell.phase === 'gated') cells.set(key, { ...cell, phase: 'dropped', work: undefined });
  }
  const dropping = new Map(state.dropping);
  dropping.delete(event.host);
  const dropped = new Map(state.dropped).set(event.host, { group: event.group, reason: event.reason });
  return { ...state, cells, dropping, dropped };
}

function withCell(
  state: RunState,
  { step, host }: { step: string; host: string | null },
  change: (cell: Cell) => Cell,
): RunState {
  const key = cellKey(step, host);
  const cell = state.cells.get(key);
  if (!cell) throw sequencerError('SB-RUN-LOG', `the plan has no step ${key}`);
  return { ...state, cells: new Map(state.cells).set(key, change(cell)) };
}

function newCell(step: string, host: string | null): Cell {
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
    before: undefined,
    receipt: undefined,
    values: undefined,
    failure: undefined,
    probed: undefined,
    via: undefined,
    startedAtMs: undefined,
    startedRunMs: undefined,
    endedAtMs: undefined,
    endedRunMs: undefined,
    durationMs: undefined,
    notBeforeRunMs: undefined,
    approvals: [],
    broken: undefined,
    skippedBecause: undefined,
    settled: [],
  };
}
