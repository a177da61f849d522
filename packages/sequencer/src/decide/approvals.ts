import { type Actor, type ApprovalRule, fitsRole } from '@signalbox/protocol';
import { approvalRule } from '../agreed.ts';
import { sequencerError } from '../codes.ts';
import { approvalEndsRunMs } from '../due.ts';
import type { Input } from '../inputs.ts';
import { isMoving } from '../state.ts';
import type { CellRef } from '../tree.ts';
import type { Draft } from './draft.ts';
import { onApproved } from './samples.ts';

export function onApprove(draft: Draft, input: Extract<Input, { type: 'approve' }>): void {
  const { ref, rule } = openApproval(draft, input.step);
  // Somebody agreed to what was true then; the tick that would say so may still be on its way.
  if (isOutdated(draft, ref, rule)) {
    draft.emit({ type: 'ApprovalVoided', step: input.step, reason: 'it was not used while it was valid' });
  }
  const refusal = mayNotApprove(draft, ref, rule, input.by);
  if (refusal) throw sequencerError('SB-APPROVE-REFUSED', refusal);
  draft.emit({
    type: 'ApprovalGiven',
    step: input.step,
    by: input.by,
    ...(input.note === undefined ? {} : { note: input.note }),
    ...(input.signed === undefined ? {} : { signed: input.signed }),
  });
  if (draft.cell(ref).approvals.length >= rule.count) onApproved(draft, ref);
}

/** Also by the clock that people and hosts go by: the run's own stands still while nobody leads. */
function isOutdated(draft: Draft, ref: CellRef, { validForMs }: ApprovalRule): boolean {
  const { state, now } = draft;
  const endsRunMs = approvalEndsRunMs(state, ref);
  const oldest = draft.cell(ref).approvals[0];
  if (validForMs === undefined || endsRunMs === undefined || oldest === undefined) return false;
  return endsRunMs <= now.runMs || oldest.atMs + validForMs <= now.atMs;
}

/** A no stops the run at once; resuming asks everybody again. */
export function onReject(draft: Draft, input: Extract<Input, { type: 'reject' }>): void {
  const { ref } = openApproval(draft, input.step);
  draft.emit({ type: 'ApprovalRejected', step: input.step, by: input.by, note: input.note });
  const { failure } = sequencerError('SB-APPROVE-REJECTED', `${input.by.name}: ${input.note}`);
  draft.hold({ cause: 'rejected', step: ref.leaf.id, host: null, failure });
}

function openApproval(draft: Draft, step: string): { ref: CellRef; rule: ApprovalRule } {
  const ref = draft.ref(step, null);
  const rule = ref && approvalRule(ref.leaf);
  if (!ref || !rule) throw sequencerError('SB-RUN-NO-STEP', `${draft.state.run} has no approval ${step}`);
  const cell = draft.cell(ref);
  const waits = cell.phase === 'gated' || cell.phase === 'compensating';
  if (!waits || cell.work?.kind !== 'approval' || !isMoving(draft.state)) {
    throw sequencerError(
      'SB-RUN-STATE',
      `${step} is ${cell.phase} and the run ${draft.state.status}: it asks for no approval now`,
    );
  }
  return { ref, rule };
}

function mayNotApprove(draft: Draft, ref: CellRef, rule: ApprovalRule, by: Actor): string | undefined {
  const { submitter } = draft.state;
  if (rule.notSubmitter && (by.key === submitter.key || by.name === submitter.name)) {
    return `${by.name} started the run; somebody else must approve ${ref.leaf.id}`;
  }
  if (rule.role !== undefined && !fitsRole(by.role, rule)) {
    return `${ref.leaf.id} wants role ${rule.role}; ${by.name} has ${by.role ?? 'none'}`;
  }
  if (draft.cell(ref).approvals.some((a) => a.by.key === by.key || a.by.name === by.name)) {
    return `${by.name} has approved ${ref.leaf.id} already; it wants ${rule.count} different people`;
  }
  return undefined;
}
