import type { Failure, HoldReason, Json } from '@signalbox/protocol';
import { sequencerError } from './codes.ts';
import { isSealed } from './fences.ts';
import { isLeftOut, type RunState } from './state.ts';
import { type CellRef, indexOf } from './tree.ts';
import { cellOf } from './walk.ts';

/** Whatever stands in the way now, from the cells themselves. */
export function blockers(state: RunState): HoldReason[] {
  return indexOf(state.plan).refs.flatMap((ref) => blocker(state, ref) ?? []);
}

function blocker(state: RunState, ref: CellRef): HoldReason | undefined {
  if (isLeftOut(state, ref.host)) return undefined;
  const cell = cellOf(state, ref);
  const at = { step: ref.leaf.id, host: ref.host };
  if (cell.broken !== undefined && cell.phase === 'succeeded' && state.direction === 'do' && !isSealed(state, ref)) {
    return { cause: 'fence', ...at, failure: fenceFailure(at, { why: cell.broken, unseen: cell.unseen }) };
  }
  // On the way back, what failed on the way forward is only one more thing to undo.
  if (cell.failure === undefined || (cell.direction === 'do' && isTurned(state, ref))) return undefined;
  if (cell.phase === 'unknown') return { cause: 'unknown', ...at, failure: cell.failure };
  if (cell.phase !== 'failed') return undefined;
  const cause = cell.direction === 'undo' ? 'undo-failed' : ref.leaf.kind === 'action' ? 'failed' : 'gate';
  return { cause, ...at, failure: cell.failure };
}

/** What is no longer true has somebody who did it; what nobody could look at may be as it was [I11]. */
export function fenceFailure(
  { step, host }: { step: string; host: string | null },
  { why, unseen, values }: { why: string; unseen: true | undefined; values?: Record<string, Json> },
): Failure {
  const details = values === undefined || unseen ? {} : { details: { values } };
  return sequencerError(unseen ? 'SB-FENCE-UNSEEN' : 'SB-FENCE-BROKEN', `fence ${step} on ${host}: ${why}`, details)
    .failure;
}

/** The step is on its way back: with the whole run, or because its host is being dropped. */
export function isTurned(state: RunState, { host }: Pick<CellRef, 'host'>): boolean {
  return state.direction === 'undo' || (host !== null && state.dropping.has(host));
}
