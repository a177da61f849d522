import type { HoldReason } from '@signalbox/protocol';
import { sequencerError } from './codes.ts';
import type { RunState } from './state.ts';
import { indexOf } from './tree.ts';
import { cellOf } from './walk.ts';

/** Whatever stands in the way now, from the cells themselves. */
export function blockers(state: RunState): HoldReason[] {
  return indexOf(state.plan).refs.flatMap((ref): HoldReason[] => {
    const cell = cellOf(state, ref);
    if (ref.host !== null && state.dropped.has(ref.host)) return [];
    const at = { step: ref.leaf.id, host: ref.host };
    if (
      cell.broken !== undefined &&
      cell.phase === 'succeeded' &&
      state.direction === 'do' &&
      state.crossed.length === 0
    ) {
      const message = `${ref.leaf.id}: ${cell.broken}`;
      return [{ cause: 'fence', ...at, failure: sequencerError('SB-FENCE-BROKEN', message).failure }];
    }
    const relevant = cell.direction === 'undo' || state.direction === 'do';
    if (!relevant || cell.failure === undefined) return [];
    if (cell.phase === 'unknown') return [{ cause: 'unknown', ...at, failure: cell.failure }];
    if (cell.phase !== 'failed') return [];
    const cause = cell.direction === 'undo' ? 'undo-failed' : ref.leaf.kind === 'action' ? 'failed' : 'gate';
    return [{ cause, ...at, failure: cell.failure }];
  });
}
