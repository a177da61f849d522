import type { Failure, GroupStep, HoldReason } from '@signalbox/protocol';
import { isTurned } from '../blockers.ts';
import { isLeftOut, type RunState } from '../state.ts';
import type { CellRef } from '../tree.ts';
import { isWindowHold } from '../window.ts';
import { currentTry, type Draft } from './draft.ts';

/** What a failed step leads to. One home for this policy, first match wins:
 *
 * - on the way back, and while a host is undone inside a batch: nothing yet. The other hosts go on, then the run holds.
 * - on a host that was left out: nothing.
 * - after a point of no return: held, never undone [I3].
 * - where the step, the run or a person who paused or has to decide anyway wants it: held.
 * - inside a batch with failures left: the host is undone in its group and dropped.
 * - else everything is taken back.
 */
export function onFailure(
  draft: Draft,
  ref: CellRef,
  { failure, wish, cause }: { failure: Failure; wish: 'rollback' | 'hold'; cause: HoldReason['cause'] },
): void {
  const { state } = draft;
  if (isTurned(state, ref) || isLeftOut(state, ref.host)) return;
  // The end of a window stops what would begin; it changes nothing about what a failure leads to.
  const waitsForPerson = state.paused || state.reasons.some((r) => r.cause !== 'unknown' && !isWindowHold(r));
  if (state.crossed.length > 0 || wish === 'hold' || state.plan.onFailure === 'hold' || waitsForPerson) {
    draft.hold({ cause, step: ref.leaf.id, host: ref.host, failure });
    return;
  }
  const batch = batchOf(ref);
  if (batch && ref.host !== null && failuresIn(state, batch) < (batch.maxFailures ?? 0)) {
    draft.emit({ type: 'HostDropping', host: ref.host, group: batch.id, failure });
    return;
  }
  draft.startUndo(failure, { step: ref.leaf.id, host: ref.host });
}

/** Tries again what may be tried again; true when it will be. */
export function retryByPolicy(draft: Draft, ref: CellRef, failure: Failure): boolean {
  const cell = draft.cell(ref);
  if (ref.leaf.kind !== 'action' || cell.direction !== 'do' || failure.class !== 'retryable') return false;
  if (isTurned(draft.state, ref) || isLeftOut(draft.state, ref.host)) return false;
  const { attempts, backoffMs, retryOn } = ref.leaf.retry;
  if (cell.attempts.do >= attempts || (retryOn.length > 0 && !retryOn.includes(failure.code))) return false;
  tryAgain(draft, ref, { backoffMs, reason: `retry ${cell.attempts.do + 1} of ${attempts} after ${failure.code}` });
  return true;
}

/** Exponential back-off with jitter: half fixed, half by chance, so that many hosts do not come back at once. */
export function tryAgain(
  draft: Draft,
  ref: CellRef,
  { backoffMs, reason }: { backoffMs: number; reason: string },
): void {
  const cell = draft.cell(ref);
  const exponential = backoffMs * 2 ** (cell.attempts[cell.direction] - 1);
  const waitMs = Math.round(exponential * (0.5 + draft.now.random / 2));
  draft.emit({
    type: 'StepReset',
    ...currentTry(cell),
    reason,
    ...(waitMs > 0 ? { notBeforeRunMs: draft.now.runMs + waitMs } : {}),
  });
}

export function batchOf(ref: CellRef): GroupStep | undefined {
  return ref.groups.findLast((group) => group.mode === 'batches');
}

function failuresIn(state: RunState, batch: GroupStep): number {
  const groups = [...state.dropping.values(), ...state.dropped.values()];
  return groups.filter(({ group }) => group === batch.id).length;
}
