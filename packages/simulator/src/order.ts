import { type CellRef, cellOf, indexOf, type RunState } from '@signalbox/sequencer';
import { inSequence, owesUndo } from '@signalbox/sequencer/testing';
import { must } from './broken.ts';

/** [I2] All that stands before it is over. @throws Broken */
export function mustBeReached(state: RunState, ref: CellRef): void {
  if (ref.onlyUndo) return;
  must('I2', state.direction === 'do', `${ref.key} is done on the way back`);
  for (const other of indexOf(state.plan).refs) {
    if (other.position >= ref.position || other.onlyUndo || other.left || !inSequence(other, ref)) continue;
    if (other.host !== null && state.dropped.has(other.host)) continue;
    const { phase, broken } = cellOf(state, other);
    const over = phase === 'succeeded' || phase === 'skipped' || phase === 'dropped';
    const holds = broken === undefined || isSealed(state, other.leaf.id);
    must('I2', over && holds, `${ref.key} begins, and ${other.key} before it is ${broken ?? phase}`);
  }
}

/** [I2] Nothing begins on the way forward outside the run's window, unless a person has said so. @throws Broken */
export function mustBeInWindow(state: RunState, ref: CellRef, atMs: number): void {
  const { notBeforeMs = 0, notAfterMs = Number.POSITIVE_INFINITY } = state.plan.window ?? {};
  if (ref.onlyUndo) return;
  must('I2', atMs >= notBeforeMs, `${ref.key} begins ${notBeforeMs - atMs} ms before the window of the run`);
  must(
    'I2',
    atMs < notAfterMs || state.overtime === true,
    `${ref.key} begins ${atMs - notAfterMs} ms after the window`,
  );
}

/** [I3] [I4] What stands after it is taken back already. @throws Broken */
export function mustBeLast(state: RunState, ref: CellRef): void {
  must('I3', state.crossed.length === 0, `${ref.key} is undone behind a point of no return`);
  const turned = state.direction === 'undo';
  must('I4', turned || (ref.host !== null && state.dropping.has(ref.host)), `${ref.key} is undone on the way forward`);
  for (const other of indexOf(state.plan).refs) {
    if (other.position <= ref.position || !inSequence(ref, other) || (!turned && other.host !== ref.host)) continue;
    if (other.host !== null && state.dropped.get(other.host)?.group === null) continue;
    const { phase, applied } = cellOf(state, other);
    const runs = phase === 'dispatched' || phase === 'compensating';
    must('I4', !runs && !(applied && owesUndo(other)), `${ref.key} is undone before ${other.key}, which is ${phase}`);
  }
}

/** Whether a point of no return that stands after this step is crossed. */
export function isSealed(state: RunState, step: string): boolean {
  const { refs } = indexOf(state.plan);
  const position = refs.find((ref) => ref.leaf.id === step)?.position ?? 0;
  return refs.some((ref) => ref.position > position && state.crossed.includes(ref.leaf.id));
}
