import { formatDuration } from '@signalbox/protocol';
import { type Cell, type CellRef, cellOf, indexOf, isEnded, isKept, type RunState } from '@signalbox/sequencer';

/** Whether the run can be taken back. Said on every screen. */
export type Way =
  | { readonly kind: 'reversible'; readonly steps: number; readonly undoMs: number; readonly noUndo: readonly string[] }
  | { readonly kind: 'sealed'; readonly since: string }
  | { readonly kind: 'undoing'; readonly done: number; readonly of: number }
  | { readonly kind: 'over' };

export function wayOf(state: RunState): Way {
  if (isEnded(state)) return { kind: 'over' };
  const since = state.crossed.at(-1);
  if (since !== undefined) return { kind: 'sealed', since };
  const { refs } = indexOf(state.plan);
  const owed = refs.filter((ref) => isOwed(ref, cellOf(state, ref)) && !isKept(state, ref));
  if (state.direction === 'undo') {
    const done = refs.filter((ref) => cellOf(state, ref).phase === 'compensated').length;
    return { kind: 'undoing', done, of: done + owed.length };
  }
  const undoMs = owed.reduce((sum, ref) => sum + (cellOf(state, ref).durationMs ?? 0), 0);
  const noUndo = owed.filter((ref) => ref.leaf.kind === 'action' && !ref.leaf.reversible).map((ref) => ref.leaf.id);
  return { kind: 'reversible', steps: owed.length, undoMs, noUndo: [...new Set(noUndo)] };
}

/** Applied, not proven unapplied, and something that the way back has to look at [I4]. */
export function isOwed({ leaf }: CellRef, cell: Cell): boolean {
  if (!cell.applied || cell.phase === 'compensated') return false;
  if (leaf.kind === 'manual') return true;
  if (leaf.kind !== 'action' || leaf.effect === 'read') return false;
  return leaf.reversible || leaf.effect !== 'idempotent';
}

export function wayText(way: Way): string {
  switch (way.kind) {
    case 'reversible': {
      if (way.noUndo.length > 0) return `REVERSIBLE except ${way.noUndo.join(', ')}: done, and without an undo`;
      return way.steps === 0 ? 'REVERSIBLE: nothing to undo yet' : `REVERSIBLE: undo takes ${about(way.undoMs)}`;
    }
    case 'sealed':
      return `NOT REVERSIBLE since ${way.since}`;
    case 'undoing':
      return `BEING TAKEN BACK: ${way.done} of ${way.of} undone`;
    case 'over':
      return '';
  }
}

/** Undo is taken to last as long as doing did; under a second nobody wants to read a number. */
export function about(ms: number): string {
  return ms < 1_000 ? '~1s' : `~${formatDuration(Math.round(ms / 1_000) * 1_000)}`;
}
