import type { DowntimeClock } from '@signalbox/protocol';
import type { Cell } from './cell.ts';
import type { RunState } from './state.ts';
import { type CellRef, indexOf, writtenId } from './tree.ts';
import { cellOf, isOver } from './walk.ts';

export interface ClockReading {
  readonly clock: DowntimeClock;
  /** Undefined: has not begun. */
  readonly elapsedMs: number | undefined;
  readonly running: boolean;
}

/**
 * The downtime clocks of a run, in run time: each runs from the first start of its `from` step to the success of its
 * `to` step, or, on the way back, until everything of `from` that had an effect has been compensated.
 */
export function clocksOf(state: RunState, runMs: number): ClockReading[] {
  return state.plan.downtime.map((clock) => {
    const from = refsOf(state, clock.from).map((ref) => cellOf(state, ref));
    const begun = from.flatMap((cell) => beganRunMs(cell) ?? []);
    if (begun.length === 0) return { clock, elapsedMs: undefined, running: false };
    const to = refsOf(state, clock.to);
    const reached = to.length > 0 && to.every((ref) => isOver(state, ref));
    const takenBack = from.some((cell) => cell.phase === 'compensated') && from.every((cell) => !cell.applied);
    const ends = (reached ? to.map((ref) => cellOf(state, ref)) : from).flatMap((cell) => cell.endedRunMs ?? []);
    const running = !reached && !takenBack;
    const endRunMs = running ? runMs : Math.max(...begun, ...ends);
    return { clock, elapsedMs: endRunMs - Math.min(...begun), running };
  });
}

/** When the step began to have its effect; a try that is proven to have done nothing stops no service. */
function beganRunMs(cell: Cell): number | undefined {
  if (cell.applied || cell.phase === 'compensated') return cell.effectSinceRunMs;
  return cell.effectSinceRunMs === undefined && cell.phase === 'succeeded' ? cell.startedRunMs : undefined;
}

/** The written step of that name, or everything inside the group of that name, as far as the way forward passes it. */
function refsOf(state: RunState, step: string): CellRef[] {
  return indexOf(state.plan).refs.filter(
    (ref) => !ref.onlyUndo && !ref.left && [ref.leaf, ...ref.groups].some((node) => writtenId(node.id) === step),
  );
}
