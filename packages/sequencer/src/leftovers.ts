import type { Leftover } from '@signalbox/protocol';
import type { RunState } from './state.ts';
import { type CellRef, indexOf } from './tree.ts';
import { cellOf } from './walk.ts';

/** What is left for a person to do when a run has ended: named, with the text of the undo where there is one. */
export function leftoversOf(state: RunState): Leftover[] {
  return [...droppedHosts(state), ...indexOf(state.plan).refs.flatMap((ref) => leftUndone(state, ref) ?? [])];
}

/** Everything that was applied and is not taken back: what `abort --leave` leaves. */
export function appliedOf(state: RunState): Leftover[] {
  return indexOf(state.plan).refs.flatMap((ref): Leftover[] => {
    const cell = cellOf(state, ref);
    if (!cell.applied || (ref.leaf.kind === 'action' && ref.leaf.effect === 'read')) return [];
    return [leftover(ref, cell.phase === 'succeeded' ? 'done and left' : `left ${cell.phase}`)];
  });
}

function droppedHosts(state: RunState): Leftover[] {
  return [...state.dropped].map(([host, { group, reason }]) => {
    const how = group === null ? 'was dropped and is as the run left it' : `was taken back within ${group} and dropped`;
    return { step: '', host, what: `${host} ${how}: ${reason}` };
  });
}

function leftUndone(state: RunState, ref: CellRef): Leftover | undefined {
  const cell = cellOf(state, ref);
  if (cell.phase === 'compensated') {
    return cell.skippedBecause === undefined ? undefined : leftover(ref, 'its undo was skipped');
  }
  if (!cell.applied || (ref.leaf.kind === 'action' && ref.leaf.effect === 'read')) return undefined;
  if (cell.phase === 'skipped') return leftover(ref, 'it failed, and was skipped');
  const abandoned = ref.host !== null && state.dropped.get(ref.host)?.group === null;
  return abandoned ? leftover(ref, `left ${cell.phase} on a dropped host`) : undefined;
}

function leftover(ref: CellRef, why: string): Leftover {
  const { leaf, host } = ref;
  const target = leaf.kind === 'action' ? leaf.targets.find((t) => t.host === host) : undefined;
  const what = target?.does ?? (leaf.kind === 'manual' ? leaf.do : leaf.id);
  const byHand = target?.undoes ?? (leaf.kind === 'manual' ? leaf.undo : undefined);
  return { step: leaf.id, host, what: `${what} (${why})`, ...(byHand === undefined ? {} : { byHand }) };
}
