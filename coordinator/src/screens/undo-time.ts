import { formatDuration, type PlanStep } from '@signalbox/protocol';
import {
  type Cell,
  type CellRef,
  cellOf,
  indexOf,
  isKept,
  type RunState,
  refsIn,
  writtenId,
} from '@signalbox/sequencer';

/** How long undoing took in earlier runs of the same runbook, by written step, in milliseconds. */
export type UndoTimes = ReadonlyMap<string, number>;

/** How long the way back would be, as far as anything was ever measured. */
export interface UndoTime {
  readonly undos: number;
  /** Undefined: nothing was. */
  readonly ms: number | undefined;
  /** Undos of which nobody knows how long they take; `ms` is without them. */
  readonly untimed: number;
}

/** Applied, not proven unapplied, and something that the way back has to look at [I4]. */
export function isOwed({ leaf }: CellRef, cell: Cell): boolean {
  if (!cell.applied || cell.phase === 'compensated') return false;
  if (leaf.kind === 'manual') return true;
  if (leaf.kind !== 'action' || leaf.effect === 'read') return false;
  return leaf.reversible || leaf.effect !== 'idempotent';
}

/** What the way back has still to take back, in plan order. */
export function owedOf(state: RunState): CellRef[] {
  return indexOf(state.plan).refs.filter((ref) => isOwed(ref, cellOf(state, ref)) && !isKept(state, ref));
}

/**
 * The time of one undo: what undoing it took in earlier runs, else what doing it took in this one, there or on another
 * host. A person's work is not timed.
 */
export function estimatesOf(state: RunState, times: UndoTimes = new Map()): (ref: CellRef) => number | undefined {
  const took = new Map<string, number>();
  for (const ref of indexOf(state.plan).refs) {
    const { durationMs } = cellOf(state, ref);
    const id = writtenId(ref.leaf.id);
    if (durationMs !== undefined) took.set(id, Math.max(durationMs, took.get(id) ?? 0));
  }
  return (ref) => {
    if (ref.leaf.kind !== 'action') return undefined;
    const id = writtenId(ref.leaf.id);
    return times.get(id) ?? cellOf(state, ref).durationMs ?? took.get(id);
  };
}

/** Hosts of a step and branches of a parallel group go at once, all else one after the other. */
export function undoTimeOf(state: RunState, times?: UndoTimes): UndoTime {
  const owed = new Set(owedOf(state));
  const estimate = estimatesOf(state, times);
  const untimed = [...owed].filter((ref) => estimate(ref) === undefined).length;
  const spanOf = (node: PlanStep): number => {
    if (node.kind !== 'group') {
      const own = refsIn(state.plan, node).filter((ref) => owed.has(ref));
      return Math.max(0, ...own.map((ref) => estimate(ref) ?? 0));
    }
    const spans = node.children.map(spanOf);
    const whole = spans.reduce((sum, ms) => sum + ms, 0);
    return node.mode === 'parallel' ? Math.max(0, ...spans, node.limit ? whole / node.limit : 0) : whole;
  };
  const ms = state.plan.steps.reduce((sum, node) => sum + spanOf(node), 0);
  return { undos: owed.size, ms: untimed === owed.size ? undefined : ms, untimed };
}

/** `~1m36s`, `~1m36s and 2 that were never timed`, `never timed`: nothing is made up. */
export function undoTimeText({ ms, untimed }: UndoTime): string {
  if (ms === undefined) return 'never timed';
  return untimed === 0 ? about(ms) : `${about(ms)} and ${untimed} that ${untimed === 1 ? 'was' : 'were'} never timed`;
}

/** Under a second nobody wants to read a number. */
export function about(ms: number): string {
  return ms < 1_000 ? '~1s' : `~${formatDuration(Math.round(ms / 1_000) * 1_000)}`;
}
