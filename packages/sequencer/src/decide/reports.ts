import type { Failure } from '@signalbox/protocol';
import { isTurned } from '../blockers.ts';
import { type Cell, isInFlight } from '../cell.ts';
import { sequencerError } from '../codes.ts';
import type { Input } from '../inputs.ts';
import { isLeftOut } from '../state.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { currentTry, type Draft, sealedFor } from './draft.ts';
import { onFailure, retryByPolicy, tryAgain } from './failure.ts';
import { matching } from './matching.ts';

type Of<T extends Input['type']> = Extract<Input, { type: T }>;
type Outcome = Of<'outcome'>['outcome'];

/** After so many automatic tries, each after proof that the one before did nothing, a person is asked. */
const MOST_PROVEN_TRIES = 5;
const PROVEN_BACKOFF_MS = 500;

export function onAccepted(draft: Draft, input: Of<'accepted'>): void {
  const ref = matching(draft, input);
  if (!ref || draft.cell(ref).accepted) return;
  draft.emit({
    type: 'StepAccepted',
    ...currentTry(draft.cell(ref)),
    ...(input.before ? { before: input.before } : {}),
    ...sealedFor(draft, ref, input),
  });
}

export function onOutcome(draft: Draft, input: Of<'outcome'>): void {
  const ref = matching(draft, input);
  if (!ref) return;
  const { outcome, durationMs } = input;
  const base = currentTry(draft.cell(ref));
  const receipt = receiptIn(draft, ref, input);
  if (outcome.status === 'succeeded') {
    const via = outcome.probed ? 'probe' : 'report';
    draft.emit({ type: 'StepSucceeded', ...base, via, durationMs, ...receipt });
  } else if (outcome.status === 'failed') {
    draft.emit({ type: 'StepFailed', ...base, failure: outcome.failure, durationMs, ...receipt });
    if (!retryByPolicy(draft, ref, outcome.failure)) afterFailure(draft, ref, outcome.failure);
  } else {
    onProbed(draft, ref, { ...outcome, receipt });
  }
}

/** What the host returned, and where another step takes it over, the host's own word for it. */
function receiptIn(draft: Draft, ref: CellRef, input: Of<'outcome'>) {
  const { receipt } = input.outcome;
  return { ...(receipt ? { receipt } : {}), ...sealedFor(draft, ref, input) };
}

/** [I5] The agent lost track; what its probe found decides, and nothing else does. */
function onProbed(
  draft: Draft,
  ref: CellRef,
  {
    probed,
    failure,
    receipt,
  }: Pick<Extract<Outcome, { status: 'unknown' }>, 'probed' | 'failure'> & {
    receipt: ReturnType<typeof receiptIn>;
  },
): void {
  const cell = draft.cell(ref);
  const base = currentTry(cell);
  const undoing = cell.direction === 'undo';
  if (probed === 'applied') {
    draft.emit({ type: 'StepSucceeded', ...base, via: 'probe', ...receipt });
  } else if (probed === 'partial' && !undoing) {
    const partial = sequencerError('SB-STEP-PARTIAL', `${ref.leaf.id} is half done on ${ref.host}`).failure;
    draft.emit({ type: 'StepFailed', ...base, failure: partial, ...receipt });
    afterFailure(draft, ref, partial);
  } else if ((probed === 'not-applied' || probed === 'partial') && mayTryAgain(draft, ref, cell)) {
    draft.emit({ type: 'StepUnknown', ...base, failure, probed });
    tryAgain(draft, ref, { backoffMs: PROVEN_BACKOFF_MS, reason: `the probe found it ${probed}` });
  } else if (cell.phase !== 'unknown' || cell.probed !== probed) {
    becomeUnknown(draft, ref, failure, probed);
  }
}

/**
 * A probe that finds a step not applied is proof enough to try again, or, on the way back, that there is nothing to
 * undo. What is irreversible is never done a second time on a probe's word alone, and no loop goes on for ever.
 */
function mayTryAgain(draft: Draft, ref: CellRef, cell: Cell): boolean {
  if (cell.direction === 'do' && (isTurned(draft.state, ref) || isLeftOut(draft.state, ref.host))) return true;
  const repeatable = cell.direction === 'undo' || (ref.leaf.kind === 'action' && ref.leaf.effect !== 'irreversible');
  return repeatable && cell.attempts[cell.direction] < MOST_PROVEN_TRIES;
}

export function onRefused(draft: Draft, input: Of<'refused'>): void {
  const ref = matching(draft, input);
  if (!ref) return;
  const { failure } = input;
  const { direction } = draft.cell(ref);
  if (failure.class === 'unknown') {
    // [I1] The host knows this id for something else, so this refusal does not say that nothing was done.
    draft.emit({ type: 'StepUnknown', ...currentTry(draft.cell(ref)), failure });
    const { step, host, attempt } = input;
    draft.hold({ cause: 'conflict', step, host, direction, attempt, failure });
    return;
  }
  draft.emit({ type: 'StepFailed', ...currentTry(draft.cell(ref)), failure, unapplied: true });
  const wanted = (direction === 'undo' || !isTurned(draft.state, ref)) && !isLeftOut(draft.state, ref.host);
  // Refused means proven not done, so a new attempt repeats nothing.
  if (wanted && failure.class === 'retryable' && input.attempt < MOST_PROVEN_TRIES) {
    const reason = `refused with ${failure.code}, nothing was done`;
    tryAgain(draft, ref, { backoffMs: PROVEN_BACKOFF_MS, reason });
  } else {
    afterFailure(draft, ref, failure);
  }
}

/** The host says that these commands had not begun and never will. */
export function onWithdrawn(draft: Draft, input: Of<'withdrawn'>): void {
  for (const ref of indexOf(draft.state.plan).refs) {
    const cell = draft.cell(ref);
    if (cell.work?.kind !== 'command' || cell.accepted || !input.commands.includes(cell.work.id)) continue;
    draft.emit({ type: 'StepReset', ...currentTry(cell), reason: 'withdrawn before it began' });
  }
}

/** [I11] No reply is never success: what the host had been sent is unknown from now on. */
export function onSilent(draft: Draft, input: Of<'silent'>): void {
  if (draft.state.silent.has(input.host)) return;
  const lastSeen = input.lastSeenAtMs === undefined ? {} : { lastSeenAtMs: input.lastSeenAtMs };
  draft.emit({ type: 'HostSilent', host: input.host, ...lastSeen });
  for (const ref of indexOf(draft.state.plan).refs) {
    const cell = draft.cell(ref);
    if (ref.host !== input.host || !isInFlight(cell)) continue;
    const message = `${input.host} has not answered since it was sent ${ref.leaf.id}`;
    becomeUnknown(draft, ref, sequencerError('SB-AGENT-SILENT', message).failure);
  }
}

/** [I8] The log is not what the host was told from it. Nothing is overwritten: a person compares the two. */
export function onContradicted(draft: Draft, { host, what }: Of<'contradicted'>): void {
  const { failure } = sequencerError('SB-RUN-CONTRADICTED', `${host} ${what}`);
  draft.hold({ cause: 'conflict', host, failure });
}

export function becomeUnknown(draft: Draft, ref: CellRef, failure: Failure, probed?: Cell['probed']): void {
  draft.emit({ type: 'StepUnknown', ...currentTry(draft.cell(ref)), failure, ...(probed ? { probed } : {}) });
  if (isLeftOut(draft.state, ref.host)) return;
  draft.hold({ cause: 'unknown', step: ref.leaf.id, host: ref.host, failure });
}

function afterFailure(draft: Draft, ref: CellRef, failure: Failure): void {
  onFailure(draft, ref, { failure, wish: 'rollback', cause: 'failed' });
}
