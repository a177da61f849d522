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
  | { readonly kind: 'undoing'; readonly done: number; readonly of: number }
  | { readonly kind: 'over' };

export function wayOf(state: RunState, times?: UndoTimes): Way {
  if (isEnded(state)) return { kind: 'over' };
  const since = state.crossed.at(-1);
  if (since !== undefined) return { kind: 'sealed', since };
  const owed = owedOf(state);
  if (state.direction === 'undo') {
    const done = indexOf(state.plan).refs.filter((ref) => cellOf(state, ref).phase === 'compensated').length;
    return { kind: 'undoing', done, of: done + owed.length };
  }
  const noUndo = owed.filter((ref) => ref.leaf.kind === 'action' && !ref.leaf.reversible).map((ref) => ref.leaf.id);
  const steps = [...new Set(owed.map((ref) => ref.leaf.id))].reverse();
  return { kind: 'reversible', undo: undoTimeOf(state, times), steps, noUndo: [...new Set(noUndo)] };
}

export function wayText(way: Way): string {
  switch (way.kind) {
    case 'reversible': {
      if (way.noUndo.length > 0) return `REVERSIBLE except ${way.noUndo.join(', ')}: done, and without an undo`;
      if (way.undo.undos === 0) return 'REVERSIBLE: nothing to undo yet';
      return way.undo.ms === undefined ? 'REVERSIBLE' : `REVERSIBLE: undo takes ${undoTimeText(way.undo)}`;
    }
    case 'sealed':
      return `NOT REVERSIBLE since ${way.since}`;
    case 'undoing':
      return `BEING TAKEN BACK: ${way.done} of ${way.of} undone`;
    case 'over':
      return '';
  }
}

/** What undo would do, for those who have not asked yet: the newest steps, and where the whole list is. */
export function undoLine(way: Way): string[] {
  if (way.kind !== 'reversible' || way.steps.length === 0) return [];
  const [first, second, third, ...more] = way.steps;
  const named = [first, second, third].filter((step) => step !== undefined).join(', ');
  const rest = more.length > 0 ? ` and ${more.length} more` : '';
  return [`takes back ${named}${rest} (abort --undo --dry-run)`];
}
