import type { GateStep } from '@signalbox/protocol';
import { blockers } from '../blockers.ts';
import { sequencerError } from '../codes.ts';
import type { Input } from '../inputs.ts';
import { appliedOf } from '../leftovers.ts';
import { isLeftOut, isMoving, type RunState } from '../state.ts';
import { type CellRef, indexOf, writtenId } from '../tree.ts';
import { isOver } from '../walk.ts';
import { stepToKeep } from '../way-back.ts';
import { currentTry, type Draft } from './draft.ts';
import { askVotersAgain } from './rounds.ts';

type Of<T extends Input['type']> = Extract<Input, { type: T }>;

export function onPause(draft: Draft, { by, note }: Of<'pause'>): void {
  if (!isMoving(draft.state)) {
    throw sequencerError(
      'SB-RUN-STATE',
      `${draft.state.run} is ${draft.state.status}; only a moving run can be paused`,
    );
  }
  draft.emit({ type: 'Paused', by, ...(note === undefined ? {} : { note }) });
}

/** Asks again what may be asked again: gates, proofs, records, broken fences, failed undos. The rest needs a decision. */
export function onResume(draft: Draft, { by, note }: Of<'resume'>): void {
  const { status, run } = draft.state;
  if (status !== 'held' && status !== 'paused') {
    throw sequencerError('SB-RUN-STATE', `${run} is ${status}, not held or paused`);
  }
  const undecided = blockers(draft.state).find(({ cause, step, host }) => {
    return cause === 'unknown' || (cause === 'failed' && !didNothing(draft, draft.ref(step ?? '', host ?? null)));
  });
  if (undecided) {
    const at = undecided.host ? ` on ${undecided.host}` : '';
    const message = `${undecided.step}${at} is ${undecided.cause}: ${undecided.failure.message}`;
    throw sequencerError('SB-RUN-NEEDS-DECISION', message);
  }
  for (const ref of indexOf(draft.state.plan).refs) {
    if (!mustBeAskedAgain(draft, ref)) continue;
    draft.emit({ type: 'StepReset', ...currentTry(draft.cell(ref)), reason: 'resumed: asked again' });
  }
  draft.emit({ type: 'Resumed', by, ...(note === undefined ? {} : { note }) });
}

function mustBeAskedAgain(draft: Draft, ref: CellRef): boolean {
  const cell = draft.cell(ref);
  if (isLeftOut(draft.state, ref.host)) return false;
  switch (cell.phase) {
    case 'succeeded':
      return blockers(draft.state).some((r) => r.cause === 'fence' && r.step === ref.leaf.id && r.host === ref.host);
    case 'failed':
      // What failed on the way forward is undone on the way back, not asked again.
      return cell.direction === draft.state.direction || cell.direction === 'undo';
    case 'gated':
    case 'compensating':
      // Its time went on while nobody asked.
      return cell.work !== undefined && 'deadlineRunMs' in cell.work;
    default:
      return false;
  }
}

/** Refused or not proven again and again, with nothing done: asking once more is all there is to decide. */
function didNothing(draft: Draft, ref: CellRef | undefined): boolean {
  const cell = ref && draft.cell(ref);
  return cell !== undefined && !cell.applied && cell.failure?.class === 'retryable';
}

/** Ends the run where it stands, or turns it round. */
export function onAbort(draft: Draft, { mode, to, by, note }: Of<'abort'>): void {
  const { state } = draft;
  const { failure } = sequencerError('SB-ABORTED', `${by.name}: ${note}`);
  if (mode === 'leave') {
    draft.emit({ type: 'NoteAdded', by, text: `abort --leave: ${note}` });
    draft.emit({ type: 'Ended', outcome: 'aborted', leftovers: appliedOf(state) });
    draft.emit({ type: 'RunClosed' });
    return;
  }
  if (state.crossed.length > 0) {
    throw sequencerError('SB-RUN-SEALED', `${state.crossed.at(-1)} has been crossed; nothing before it is taken back`);
  }
  if (state.direction === 'undo') {
    throw sequencerError('SB-RUN-STATE', `${state.run} is being taken back already; resume it if it is held`);
  }
  const keep = to === undefined ? {} : { to: stepToKeep(state, to, (ref) => isOver(state, ref)) };
  draft.emit({ type: 'UndoStarted', reason: failure, by, ...keep });
}

export function onAdjust(draft: Draft, { step, by, note, until, ...time }: Of<'adjust'>): void {
  const gates = new Map<string, GateStep>();
  for (const { leaf } of indexOf(draft.state.plan).refs) {
    if (leaf.kind === 'gate' && (leaf.id === step || writtenId(leaf.id) === step)) gates.set(leaf.id, leaf);
  }
  if (gates.size === 0) throw sequencerError('SB-RUN-NO-STEP', `${draft.state.run} has no gate ${step}`);
  for (const gate of gates.values()) {
    const timeoutMs = wholeTimeoutMs(draft.state, gate, time);
    const change = { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(until === undefined ? {} : { until }) };
    draft.emit({ type: 'GateAdjusted', step: gate.id, by, note, ...change });
  }
  if (until !== undefined) askVotersAgain(draft);
}

/** What is added is added to what the gate has, whether it waits, has run out of it, or is still to come. */
function wholeTimeoutMs(
  { adjustments }: RunState,
  gate: GateStep,
  { timeoutMs, addTimeoutMs }: Pick<Of<'adjust'>, 'timeoutMs' | 'addTimeoutMs'>,
): number | undefined {
  if (timeoutMs !== undefined || addTimeoutMs === undefined) return timeoutMs;
  return (adjustments.get(gate.id)?.timeoutMs ?? gate.timeoutMs) + addTimeoutMs;
}
