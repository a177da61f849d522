import type { HoldReason } from '@signalbox/protocol';
import { sequencerError } from './codes.ts';
import { isMoving, type RunState } from './state.ts';

/** When the run may begin steps, on the way forward only: nothing keeps a run from being taken back. */
export function isOutsideWindow(state: RunState): boolean {
  const { notBeforeMs } = state.plan.window ?? {};
  return (notBeforeMs !== undefined && state.atMs < notBeforeMs) || isWindowOver(state);
}

/** The window is behind the run, and nobody has let it go on all the same. */
export function isWindowOver({ plan, atMs, overtime }: Pick<RunState, 'plan' | 'atMs' | 'overtime'>): boolean {
  const notAfterMs = plan.window?.notAfterMs;
  return notAfterMs !== undefined && atMs >= notAfterMs && !overtime;
}

/** The hold that the end of the window leads to; undefined while there is none to be made. */
export function windowHold(state: RunState): HoldReason | undefined {
  // A host that is being taken back inside its batch is on its way back; the run is held when that is over.
  if (!isMoving(state) || state.direction === 'undo' || state.dropping.size > 0 || !isWindowOver(state))
    return undefined;
  const end = new Date(state.plan.window?.notAfterMs ?? 0).toISOString();
  const { failure } = sequencerError('SB-WINDOW-CLOSED', `the window of ${state.run} ended at ${end}`);
  return { cause: 'deadline', failure };
}

/** Of this hold a person says by `resume` that the run goes on outside its window. */
export function isWindowHold({ failure }: HoldReason): boolean {
  return failure.code === 'SB-WINDOW-CLOSED';
}
