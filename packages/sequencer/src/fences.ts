import type { Cell } from './cell.ts';
import type { RunState } from './state.ts';
import { type CellRef, indexOf, refsNamed } from './tree.ts';

/** A fence is watched from the moment it passes until the step that it protects starts. On the way back fences are off. */
export function isWatchedFence(state: RunState, ref: CellRef): boolean {
  if (ref.leaf.kind !== 'gate' || !ref.leaf.fence || state.direction === 'undo') return false;
  const cell = state.cells.get(ref.key);
  if (cell?.phase !== 'succeeded' || cell.broken !== undefined) return false;
  if (ref.host !== null && (state.dropped.has(ref.host) || state.dropping.has(ref.host))) return false;
  const named = refsNamed(state.plan, ref.leaf.fence.until);
  // In a batch the protected step starts host by host: another host's start says nothing of this one.
  const own = named.filter((protectedRef) => protectedRef.host === ref.host);
  return !(own.length > 0 ? own : named).some((protectedRef) => hasStarted(state.cells.get(protectedRef.key)));
}

/** Asking people or samples whether it may start is not yet a start; for a point of no return, only the crossing is. */
function hasStarted(cell: Cell | undefined): boolean {
  if (!cell) return false;
  if (cell.applied || cell.phase === 'succeeded' || cell.phase === 'skipped' || cell.phase === 'dispatched')
    return true;
  return cell.phase === 'gated' && (cell.work?.kind === 'gate' || cell.work?.kind === 'record');
}

/** [I3] Behind a point of no return that has been crossed: what was true there protects nothing any more. */
export function isSealed(state: RunState, ref: CellRef): boolean {
  const { byStep } = indexOf(state.plan);
  return state.crossed.some((step) => byStep.get(step)?.some((point) => point.position > ref.position));
}
