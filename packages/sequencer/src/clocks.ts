import type { DowntimeClock } from '@signalbox/protocol';
import type { Cell, RunState } from './state.ts';
import { indexOf, writtenId } from './tree.ts';

export interface ClockReading {
  readonly clock: DowntimeClock;
  /** Undefined: has not begun. */
  readonly elapsedMs: number | undefined;
  readonly running: boolean;
}

/**
 * The downtime clocks of a run: each runs from the first start of its `from` step to the success of its `to` step, or,
 * on the way back, until every host of `from` has been compensated.
 */
export function clocksOf(state: RunState, runMs: number): ClockReading[] {
  return state.plan.downtime.map((clock) => {
    const from = cellsOf(state, clock.from);
    const to = cellsOf(state, clock.to);
    const begun = from.flatMap((cell) => cell.startedRunMs ?? []);
    if (begun.length === 0 || from.every((cell) => !cell.applied && cell.phase === 'pending')) {
      return { clock, elapsedMs: undefined, running: false };
    }
    const stop = endOf(to, isOver) ?? endOf(from, (cell) => cell.phase === 'compensated');
    return { clock, elapsedMs: (stop ?? runMs) - Math.min(...begun), running: stop === undefined };
  });
}

/** The written step of that name, or everything inside the group of that name. */
function cellsOf(state: RunState, step: string): Cell[] {
  return indexOf(state.plan)
    .refs.filter((ref) => [ref.leaf, ...ref.groups].some((node) => writtenId(node.id) === step))
    .flatMap((ref) => state.cells.get(ref.key) ?? []);
}

function isOver(cell: Cell): boolean {
  return cell.phase === 'succeeded' || cell.phase === 'skipped' || cell.phase === 'dropped';
}

function endOf(cells: readonly Cell[], over: (cell: Cell) => boolean): number | undefined {
  if (cells.length === 0 || !cells.every(over)) return undefined;
  return Math.max(...cells.map((cell) => cell.endedRunMs ?? 0));
}
