import { isMoving, openReasons, type RunState } from './state.ts';
import { type CellRef, indexOf } from './tree.ts';
import { cellOf } from './walk.ts';

export type PageWhy = 'held' | 'approval-wanted' | 'manual-wanted';

export interface PageEffect {
  readonly type: 'page';
  /** Stable while the same thing is wanted: a page is repeated until somebody acknowledges it. */
  readonly key: string;
  readonly why: PageWhy;
  readonly message: string;
  readonly next: string;
}

/** Whom a person at home must hear of: a held run that nobody looks at is an outage. */
export function pages(state: RunState): PageEffect[] {
  if (state.status === 'held') return state.acknowledgedBy === undefined ? [heldPage(state)] : [];
  return isMoving(state) ? indexOf(state.plan).refs.flatMap((ref) => wanted(state, ref) ?? []) : [];
}

function heldPage(state: RunState): PageEffect {
  const reasons = openReasons(state);
  const message = reasons.map((reason) => reason.failure.message).join('; ');
  const next = reasons[0]?.failure.next ?? '';
  return { type: 'page', key: `held-${state.heldSinceMs}`, why: 'held', message, next };
}

function wanted(state: RunState, ref: CellRef): PageEffect | undefined {
  const cell = cellOf(state, ref);
  if (cell.phase !== 'gated' && cell.phase !== 'compensating') return undefined;
  const key = `${ref.key}#${cell.direction}${cell.attempts[cell.direction]}`;
  if (cell.work?.kind === 'approval') {
    const next = `signalbox approve ${state.run} '${ref.leaf.id}'`;
    return { type: 'page', key, why: 'approval-wanted', message: `${ref.leaf.id} waits for approval`, next };
  }
  if (cell.work?.kind !== 'manual') return undefined;
  const next = `do it, then: signalbox confirm ${state.run} '${ref.leaf.id}' --note ...`;
  return { type: 'page', key, why: 'manual-wanted', message: cell.work.text, next };
}
