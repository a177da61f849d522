import type { Failure } from '@signalbox/protocol';
import { fenceFailure, isTurned } from '../blockers.ts';
import { sequencerError } from '../codes.ts';
import { isSealed, isWatchedFence } from '../fences.ts';
import type { Input } from '../inputs.ts';
import { fenceKey, gateKey, proofPrefix, recordKey } from '../keys.ts';
import { isMoving } from '../state.ts';
import type { CellRef } from '../tree.ts';
import { isOutsideWindow } from '../window.ts';
import { currentTry, type Draft, sealedFor } from './draft.ts';
import { onFailure } from './failure.ts';
import { sendBack, voidWhatReliedOn } from './relied-on.ts';
import { startRound } from './rounds.ts';
import { startProven } from './start.ts';

type Of<T extends Input['type']> = Extract<Input, { type: T }>;

export function onGateMet(draft: Draft, input: Of<'gateMet'>): void {
  const ref = waiting(draft, input, 'gate');
  if (!ref) return;
  draft.emit({
    type: 'StepSucceeded',
    ...currentTry(draft.cell(ref)),
    via: 'sample',
    values: input.values,
    durationMs: input.heldMs,
    ...sealedFor(draft, ref, input),
  });
}

export function onGateFailed(draft: Draft, input: Of<'gateFailed'>): void {
  const ref = waiting(draft, input, 'gate');
  if (!ref) return;
  const code = input.kind === 'failIf' ? 'SB-GATE-FAILED' : 'SB-GATE-NOT-MET';
  const { failure } = sequencerError(code, `${ref.leaf.id} on ${input.host}: ${input.why}`, {
    details: { values: input.values },
  });
  failGate(draft, ref, failure, input.values);
}

export function failGate(draft: Draft, ref: CellRef, failure: Failure, values?: Of<'gateMet'>['values']): void {
  draft.emit({
    type: 'StepFailed',
    ...currentTry(draft.cell(ref)),
    failure,
    unapplied: true,
    ...(values ? { values } : {}),
  });
  const wish = ref.leaf.kind === 'gate' ? ref.leaf.onTimeout : 'hold';
  onFailure(draft, ref, { failure, wish, cause: 'gate' });
}

export function onRecorded(draft: Draft, input: Of<'recorded'>): void {
  const ref = waiting(draft, input, 'record');
  if (!ref) return;
  const { values } = input;
  const sealed = sealedFor(draft, ref, input);
  draft.emit({ type: 'StepSucceeded', ...currentTry(draft.cell(ref)), via: 'sample', values, ...sealed });
}

export function onProven(draft: Draft, input: Of<'proven'>): void {
  const ref = waiting(draft, input, 'proof');
  if (!ref) return;
  const forward = draft.cell(ref).direction === 'do';
  if (forward && (isTurned(draft.state, ref) || isOutsideWindow(draft.state))) return;
  startProven(draft, ref);
}

/**
 * Dispatch stops at once, open approvals are void, and whatever was true only while this fence held must be met again.
 * After the point of no return there is no way back to protect: the break is recorded, and the screens warn.
 */
export function onFenceBroke(draft: Draft, input: Of<'fenceBroke'>): void {
  const ref = draft.ref(input.step, input.host);
  if (ref?.leaf.kind !== 'gate' || !ref.leaf.fence || !isWatchedFence(draft.state, ref)) return;
  if (input.watch !== undefined && input.watch !== fenceKey(draft.state, draft.cell(ref))) return;
  const { step, host, values, why, unseen } = input;
  const seen = unseen ? { unseen } : sealedFor(draft, ref, input);
  draft.emit({ type: 'FenceBroken', step, host, values, why, ...seen });
  if (isSealed(draft.state, ref)) return;
  const failure = fenceFailure({ step, host }, { why, unseen, values });
  voidWhatReliedOn(draft, ref.leaf.id);
  sendBack(draft, ref, `fence ${ref.leaf.id} broke`);
  onFailure(draft, ref, { failure, wish: ref.leaf.fence.onBreak, cause: 'fence' });
}

/** Enough approvals: an approval step is done; a point of no return asks its voters. */
export function onApproved(draft: Draft, ref: CellRef): void {
  if (ref.leaf.kind === 'approval')
    draft.emit({ type: 'StepSucceeded', ...currentTry(draft.cell(ref)), via: 'operator' });
  else startRound(draft, ref);
}

/**
 * The cell, when it waits for a sample of this kind. A sample that comes late, answers an earlier question, or finds
 * the run held or paused is nothing: what still matters is asked again when the run goes on.
 */
function waiting(
  draft: Draft,
  { step, host, watch }: { step: string; host: string; watch?: string },
  kind: 'gate' | 'record' | 'proof',
): CellRef | undefined {
  const ref = draft.ref(step, host);
  if (!ref || !isMoving(draft.state)) return undefined;
  const cell = draft.cell(ref);
  if ((cell.phase !== 'gated' && cell.phase !== 'compensating') || cell.work?.kind !== kind) return undefined;
  if (watch === undefined) return ref;
  const asked = {
    gate: watch === gateKey(draft.state, cell),
    record: watch === recordKey(cell),
    proof: watch.startsWith(proofPrefix(cell)),
  };
  return asked[kind] ? ref : undefined;
}
