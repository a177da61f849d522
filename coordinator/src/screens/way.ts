import { cellOf, indexOf, isEnded, type RunState } from '@signalbox/sequencer';
import { owedOf, type UndoTime, type UndoTimes, undoTimeOf, undoTimeText } from './undo-time.ts';

/** Whether the run can be taken back. Said on every screen. */
export type Way =
  | {
      readonly kind: 'reversible';
      readonly undo: UndoTime;
      /** What the way back would take back first, last, and between: step instances, in its order. */
      readonly steps: readonly string[];
      readonly noUndo: readonly string[];
    }
  | { readonly kind: 'sealed'; readonly since: string }
  | { readonly kind: 'undoing'; readonly done: number; readonly of: number; readonly undo: UndoTime }
  /** `undo`: what `signalbox undo` would take back now that the run is over; `since`: the crossing that it cannot undo. */
  | { readonly kind: 'over'; readonly undo?: UndoTime; readonly since?: string };

export function wayOf(state: RunState, times?: UndoTimes): Way {
  const since = state.crossed.at(-1);
  const owed = owedOf(state);
  if (isEnded(state)) {
    if (since !== undefined) return { kind: 'over', since };
    const undoable = owed.length > 0 && owed.every(({ leaf }) => leaf.kind !== 'action' || leaf.reversible);
    return undoable ? { kind: 'over', undo: undoTimeOf(state, times) } : { kind: 'over' };
  }
  if (since !== undefined) return { kind: 'sealed', since };
  if (state.direction === 'undo') {
    const done = indexOf(state.plan).refs.filter((ref) => cellOf(state, ref).phase === 'compensated').length;
    return { kind: 'undoing', done, of: done + owed.length, undo: undoTimeOf(state, times) };
  }
  const noUndo = owed.filter((ref) => ref.leaf.kind === 'action' && !ref.leaf.reversible).map((ref) => ref.leaf.id);
  const steps = [...new Set(owed.map((ref) => ref.leaf.id))].reverse();
  return { kind: 'reversible', undo: undoTimeOf(state, times), steps, noUndo: [...new Set(noUndo)] };
}

export function wayText(way: Way): string {
  switch (way.kind) {
    case 'reversible': {
      if (way.undo.undos === 0) return 'REVERSIBLE: nothing to undo yet';
      const takes = takesText('undo', way.undo);
      if (way.noUndo.length === 0) return `REVERSIBLE: ${takes}`;
      return `REVERSIBLE except ${way.noUndo.join(', ')}: done, and without an undo; ${takes}`;
    }
    case 'sealed':
      return `NOT REVERSIBLE since ${way.since}`;
    case 'undoing': {
      const left = way.undo.undos === 0 ? '' : `; ${takesText('the rest', way.undo)}`;
      return `BEING TAKEN BACK: ${way.done} of ${way.of} undone${left}`;
    }
    case 'over':
      if (way.since !== undefined) return `NOT REVERSIBLE since ${way.since}`;
      return way.undo === undefined ? '' : `REVERSIBLE by a new run: ${takesText('undo', way.undo)}`;
  }
}

function takesText(what: string, time: UndoTime): string {
  return time.ms === undefined ? `${what} was never timed` : `${what} takes ${undoTimeText(time)}`;
}

/** What undo would do, for those who have not asked yet: the newest steps, and where the whole list is. */
export function undoLine(way: Way): string[] {
  if (way.kind !== 'reversible' || way.steps.length === 0) return [];
  const [first, second, third, ...more] = way.steps;
  const named = [first, second, third].filter((step) => step !== undefined).join(', ');
  const rest = more.length > 0 ? ` and ${more.length} more` : '';
  return [`takes back ${named}${rest} (abort --undo --dry-run)`];
}
