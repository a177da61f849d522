import type { LogEntry, Plan, RunEvent, Work } from '@signalbox/protocol';
import { type Cell, cellKey, isByHand, type Stamp } from './cell.ts';
import { Cells } from './cells.ts';
import { sequencerError } from './codes.ts';
import { mergeConditions } from './conditions.ts';
import { declareSettled, evolveCell, newCell } from './evolve-cell.ts';
import { assertMayFollow } from './legal.ts';
import type { RunState } from './state.ts';
import { nextPhase } from './transitions.ts';
import { indexOf } from './tree.ts';
import { hasArrived } from './way-back.ts';
import { isWindowHold } from './window.ts';

/** The state before the first event: a plan that nobody has started. */
export function initialState(run: string, plan: Plan): RunState {
  return {
    run,
    mesh: plan.mesh,
    plan,
    planHash: '',
    signed: undefined,
    status: 'planned',
    paused: false,
    direction: 'do',
    submitter: { name: '', key: '' },
    owner: '',
    epoch: 0,
    nonce: '',
    createdAtMs: 0,
    atMs: 0,
    runMs: 0,
    endedAtMs: undefined,
    cells: Cells.of(plan, newCell),
    crossed: [],
    rounds: 0,
    votes: new Map(),
    asked: new Map(),
    crossing: undefined,
    reasons: [],
    heldSinceMs: undefined,
    undoReason: undefined,
    undoTo: undefined,
    dropping: new Map(),
    dropped: new Map(),
    silent: new Set(),
    adjustments: new Map(),
    deadlines: new Set(),
    budgets: new Set(),
    overtime: undefined,
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
  assertMayFollow(before, event);
  const state: RunState = { ...before, atMs, runMs };
  switch (event.type) {
    case 'StepStarted': {
      const asking = event.work.kind === 'round' ? beginRound(state, event.work) : state;
      return withCell(asking, event, (cell) => evolveCell(cell, event, { atMs, runMs }));
    }
    case 'StepAccepted':
    case 'StepSucceeded':
    case 'StepFailed':
    case 'StepUnknown':
    case 'StepSkipped':
    case 'StepReset':
      return withCell(state, event, (cell) => evolveCell(cell, event, { atMs, runMs }));
    case 'FenceBroken':
      return withCell(state, event, (cell) => ({
        ...cell,
        broken: event.why,
        unseen: event.unseen,
        values: event.unseen ? cell.values : event.values,
        sealed: event.sealed === undefined ? cell.sealed : [event.sealed],
      }));
    case 'ApprovalGiven':
      return withCell(state, { ...event, host: null }, (cell) => ({
        ...cell,
        approvals: [...cell.approvals, { by: event.by, atMs, runMs, note: event.note, signed: event.signed }],
      }));
    case 'ApprovalRejected':
    case 'ApprovalVoided':
      return withCell(state, { ...event, host: null }, (cell) => ({ ...cell, approvals: [] }));
    case 'GateAdjusted':
      return adjustGate(state, event);
    default:
      return evolveRun(state, event);
  }
}

type CellEvent =
  | Extract<RunEvent, { type: `Step${string}` }>
  | Extract<RunEvent, { type: 'FenceBroken' | 'ApprovalGiven' | 'ApprovalRejected' | 'ApprovalVoided' }>
  | Extract<RunEvent, { type: 'GateAdjusted' }>;

function evolveRun(state: RunState, event: Exclude<RunEvent, CellEvent>): RunState {
  switch (event.type) {
    case 'RunCreated': {
      const { planHash, by, signed } = event;
      return { ...state, status: 'running', planHash, signed, submitter: by, owner: by.name, createdAtMs: state.atMs };
    }
    case 'Led':
      return { ...state, epoch: event.epoch, nonce: event.nonce };
    case 'VoteGiven': {
      const { vote, journalSequence, evidence, why } = event;
      return { ...state, votes: new Map(state.votes).set(event.host, { vote, journalSequence, evidence, why }) };
    }
    case 'Crossed':
      return cross(state, event);
    case 'HostSilent':
      return { ...state, silent: new Set(state.silent).add(event.host) };
    case 'HostBack':
      return { ...state, silent: new Set([...state.silent].filter((host) => host !== event.host)) };
    case 'HostDropping': {
      const dropping = new Map(state.dropping).set(event.host, { group: event.group, failure: event.failure });
      return { ...state, dropping };
    }
    case 'HostDropped':
      return dropHost(state, event);
    case 'Held':
      return hold(state, event);
    case 'HoldLifted':
      return { ...state, status: state.paused ? 'paused' : moving(state), reasons: [], heldSinceMs: undefined };
    case 'Resumed':
      return {
        ...state,
        status: moving(state),
        paused: false,
        undoTo: state.reasons.some(hasArrived) ? undefined : state.undoTo,
        overtime: state.reasons.some(isWindowHold) || state.overtime ? true : undefined,
        reasons: [],
        heldSinceMs: undefined,
      };
    case 'Paused':
      return { ...state, status: 'paused', paused: true };
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

/** Whoever was asked may have voted, and is bound to it until the crossing seals the run or somebody releases it [D4]. */
function beginRound(state: RunState, { round, voters }: Extract<Work, { kind: 'round' }>): RunState {
  const asked = new Map([...state.asked, ...voters.map(({ host }): [string, number] => [host, round])]);
  return { ...state, rounds: round, votes: new Map(), asked };
}

function cross(state: RunState, event: Extract<RunEvent, { type: 'Crossed' }>): RunState {
  const { step, round, roundNonce, votes } = event;
  const crossing = { step, round, roundNonce, votes };
  return { ...state, crossed: [...state.crossed, step], crossing, asked: new Map() };
}

function moving(state: RunState): 'running' | 'compensating' {
  return state.direction === 'do' ? 'running' : 'compensating';
}

function hold(state: RunState, { reasons }: Extract<RunEvent, { type: 'Held' }>): RunState {
  const deadlines = reasons.flatMap((r) => (r.cause === 'deadline' && r.step ? [r.step] : []));
  return {
    ...state,
    cells: reasons.reduce(declareSettled, state.cells),
    status: 'held',
    reasons,
    heldSinceMs: state.heldSinceMs ?? state.atMs,
    acknowledgedBy: undefined,
    deadlines: new Set([...state.deadlines, ...deadlines]),
  };
}

/** What waited on the way forward and had no effect waits no longer: gates, approvals, proofs that were not met yet. */
function startUndo(state: RunState, event: Extract<RunEvent, { type: 'UndoStarted' }>): RunState {
  const cells = state.cells.map((cell) => {
    const turned = { ...cell, notBeforeRunMs: undefined };
    if (cell.phase !== 'gated' || isByHand(cell.work)) return turned;
    return { ...turned, phase: nextPhase(cell.phase, 'cancel', 'do') ?? cell.phase, work: undefined, approvals: [] };
  });
  const deadlines = event.reason.code === 'SB-DEADLINE' && event.step ? [event.step] : [];
  return {
    ...state,
    cells,
    direction: 'undo',
    status: 'compensating',
    paused: false,
    undoReason: event.reason,
    undoTo: event.to,
    reasons: [],
    heldSinceMs: undefined,
    dropping: new Map(),
    deadlines: new Set([...state.deadlines, ...deadlines]),
  };
}

/**
 * Whatever the host has not begun, it never will in this run. What stands `only: undo` outside the group in which it
 * failed is still passed, should everything be taken back.
 */
function dropHost(state: RunState, { host, group, reason }: Extract<RunEvent, { type: 'HostDropped' }>): RunState {
  const { byKey } = indexOf(state.plan);
  const cells = state.cells.map((cell) => {
    const ref = byKey.get(cell.key);
    const stays = ref?.onlyUndo && group !== null && !ref.groups.some((g) => g.id === group);
    const phase = nextPhase(cell.phase, 'drop', cell.direction);
    return cell.host !== host || stays || phase === undefined ? cell : { ...cell, phase, work: undefined };
  });
  const dropping = new Map(state.dropping);
  dropping.delete(host);
  return { ...state, cells, dropping, dropped: new Map(state.dropped).set(host, { group, reason }) };
}

/** Adjustments add up; a comparison that is named again replaces the earlier one. */
function adjustGate(state: RunState, event: Extract<RunEvent, { type: 'GateAdjusted' }>): RunState {
  const earlier = state.adjustments.get(event.step);
  const adjusted = {
    timeoutMs: event.timeoutMs ?? earlier?.timeoutMs,
    until: event.until ? mergeConditions(earlier?.until ?? {}, event.until) : earlier?.until,
    revision: (earlier?.revision ?? 0) + (event.until ? 1 : 0),
  };
  return { ...state, adjustments: new Map(state.adjustments).set(event.step, adjusted) };
}

function withCell(
  state: RunState,
  { step, host }: { step: string; host: string | null },
  change: (cell: Cell) => Cell,
): RunState {
  const key = cellKey(step, host);
  const cell = state.cells.get(key);
  if (!cell) throw sequencerError('SB-RUN-LOG', `the plan has no step ${key}`);
  return { ...state, cells: state.cells.with(change(cell)) };
}
