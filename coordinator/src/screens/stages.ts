import { type Cell, type CellRef, cellKey, cellOf, indexOf, type RunState } from '@signalbox/sequencer';
import { isOwed } from './undo-time.ts';

/** Where one step on one host stands, as far as a screen tells it. */
export type Stage =
  | 'ahead'
  | 'active'
  | 'done'
  /** Failed, unknown, or a fence that broke. */
  | 'bad'
  /** Done, and the way back has still to take it back. */
  | 'to-undo'
  | 'undone'
  /** On the way back there is nothing to do here. */
  | 'untouched';

export function stageOf(state: RunState, ref: CellRef): Stage {
  const cell = cellOf(state, ref);
  if (ref.leaf.skip !== undefined || cell.phase === 'skipped' || cell.phase === 'dropped') {
    return state.direction === 'undo' ? 'untouched' : 'done';
  }
  if (cell.phase === 'compensated') return 'undone';
  if (cell.phase === 'dispatched' || cell.phase === 'gated' || cell.phase === 'compensating') return 'active';
  return state.direction === 'undo' ? onTheWayBack(state, ref, cell) : onTheWayForward(state, ref, cell);
}

function onTheWayForward(state: RunState, { leaf }: CellRef, cell: Cell): Stage {
  if (cell.phase === 'failed' || cell.phase === 'unknown') return 'bad';
  if (cell.phase === 'succeeded') return cell.broken !== undefined && state.crossed.length === 0 ? 'bad' : 'done';
  return leaf.only === 'undo' ? 'untouched' : 'ahead';
}

function onTheWayBack(state: RunState, ref: CellRef, cell: Cell): Stage {
  const failed = cell.phase === 'failed' || cell.phase === 'unknown';
  if (failed && cell.direction === 'undo') return 'bad';
  if (ref.leaf.only === 'undo') return wentPast(state, ref) ? 'to-undo' : 'untouched';
  if (cell.phase === 'unknown' && !cell.applied) return 'untouched';
  return isOwed(ref, cell) ? 'to-undo' : 'untouched';
}

/** A step `only: undo` is met on the way back when something after its place had begun. */
function wentPast(state: RunState, ref: CellRef): boolean {
  return indexOf(state.plan).refs.some(
    (other) => other.position > ref.position && other.leaf.only !== 'undo' && cellOf(state, other).attempts.do > 0,
  );
}

/** What a person reads where a fence does not hold; a fence that nobody can look at may hold all the same [I11]. */
export function brokenWord({ broken, unseen }: Pick<Cell, 'broken' | 'unseen'>): 'BROKEN' | 'UNSEEN' | undefined {
  if (broken === undefined) return undefined;
  return unseen ? 'UNSEEN' : 'BROKEN';
}

/** A fence that has passed and must still hold: until the step that it protects has started. */
export function isStandingFence(state: RunState, { leaf, host }: CellRef): boolean {
  if (leaf.kind !== 'gate' || leaf.fence === undefined || state.direction === 'undo') return false;
  const cell = state.cells.get(cellKey(leaf.id, host));
  if (cell?.phase !== 'succeeded' || (host !== null && state.dropped.has(host))) return false;
  const protects = indexOf(state.plan).byStep.get(leaf.fence.until) ?? [];
  return !protects.some((ref) => ['dispatched', 'succeeded', 'unknown'].includes(cellOf(state, ref).phase));
}
