import type { Failure } from '@signalbox/protocol';
import { sequencerError } from '../codes.ts';
import { tryName } from '../evolve-cell.ts';
import type { Input, OfTry } from '../inputs.ts';
import type { Cell } from '../state.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { currentTry, type Draft } from './draft.ts';
import { onFailure, retryByPolicy, tryAgain } from './failure.ts';

/** After so many automatic tries, by proof that nothing was done, a person is asked. */
const MOST_PROVEN_TRIES = 5;
const PROVEN_BACKOFF_MS = 500;

export function onAccepted(draft: Draft, input: Extract<Input, { type: 'accepted' }>): void {
  const found = matching(draft, input);
  if (!found || found.cell.accepted || !isInFlight(found.cell)) return;
  draft.emit({
    type: 'StepAccepted',
    ...currentTry(found.cell),
    ...(input.before ? { before: input.before } : {}),
  });
}

export function onOutcome(draft: Draft, input: Extract<Input, { type: 'outcome' }>): void {
  const found = matching(draft, input);
  if (!found) return;
  const { ref, cell } = found;
  const { outcome, durationMs } = input;
  const base = currentTry(cell);
  if (outcome.status === 'succeeded') {
    draft.emit({
      type: 'StepSucceeded',
      ...base,
      via: outcome.probed ? 'probe' : 'report',
      durationMs,
      ...(outcome.receipt ? { receipt: outcome.receipt } : {}),
    });
  } else if (outcome.status === 'failed') {
    draft.emit({
      type: 'StepFailed',
      ...base,
      failure: outcome.failure,
      durationMs,
      ...(outcome.receipt ? { receipt: outcome.receipt } : {}),
    });
    if (!retryByPolicy(draft, ref, outcome.failure)) afterFailure(draft, ref, outcome.failure);
  } else {
    onProbed(draft, ref, outcome);
  }
}

/** [I5] The agent lost track; what its probe found decides, and nothing else does. */
function onProbed(
  draft: Draft,
  ref: CellRef,
  { probed, failure }: Extract<Extract<Input, { type: 'outcome' }>['outcome'], { status: 'unknown' }>,
): void {
  const cell = draft.cell(ref);
  const base = currentTry(cell);
  const undoing = cell.direction === 'undo';
  const mayTryAgain = undoing || (ref.leaf.kind === 'action' && ref.leaf.effect !== 'irreversible');
  if (probed === 'applied') {
    draft.emit({ type: 'StepSucceeded', ...base, via: 'probe' });
  } else if (probed === 'partial' && !undoing) {
    const partial = sequencerError('SB-STEP-PARTIAL', `${ref.leaf.id} is half done on ${ref.host}`).failure;
    draft.emit({ type: 'StepFailed', ...base, failure: partial });
    afterFailure(draft, ref, partial);
  } else if ((probed === 'not-applied' || probed === 'partial') && mayTryAgain && base.attempt < MOST_PROVEN_TRIES) {
    draft.emit({ type: 'StepUnknown', ...base, failure, probed });
    tryAgain(draft, ref, { backoffMs: PROVEN_BACKOFF_MS, reason: `the probe found it ${probed}` });
  } else {
    becomeUnknown(draft, ref, failure, probed);
  }
}

export function onRefused(draft: Draft, input: Extract<Input, { type: 'refused' }>): void {
  const found = matching(draft, input);
  if (!found) return;
  const { ref, cell } = found;
  draft.emit({ type: 'StepFailed', ...currentTry(cell), failure: input.failure, unapplied: true });
  // Refused means proven not done, so a new attempt repeats nothing.
  if (input.failure.class === 'retryable' && input.attempt < MOST_PROVEN_TRIES) {
    tryAgain(draft, ref, {
      backoffMs: PROVEN_BACKOFF_MS,
      reason: `refused with ${input.failure.code}, nothing was done`,
    });
  } else {
    afterFailure(draft, ref, input.failure);
  }
}

/** The host says that these commands had not begun and never will. */
export function onWithdrawn(draft: Draft, input: Extract<Input, { type: 'withdrawn' }>): void {
  for (const ref of indexOf(draft.state.plan).refs) {
    const cell = draft.cell(ref);
    if (cell.work?.kind !== 'command' || !input.commands.includes(cell.work.id)) continue;
    draft.emit({ type: 'StepReset', ...currentTry(cell), reason: 'withdrawn before it began' });
  }
}

export function onSilent(draft: Draft, input: Extract<Input, { type: 'silent' }>): void {
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

export function becomeUnknown(draft: Draft, ref: CellRef, failure: Failure, probed?: Cell['probed']): void {
  const cell = draft.cell(ref);
  draft.emit({ type: 'StepUnknown', ...currentTry(cell), failure, ...(probed ? { probed } : {}) });
  draft.hold({ cause: 'unknown', step: ref.leaf.id, host: ref.host, failure });
}

function afterFailure(draft: Draft, ref: CellRef, failure: Failure): void {
  onFailure(draft, ref, { failure, wish: 'rollback', cause: 'failed' });
}

/** The cell that a report is about, unless the log knows this end already. A contradiction holds the run. */
function matching(draft: Draft, input: OfTry): { ref: CellRef; cell: Cell } | undefined {
  const direct = draft.ref(input.step, input.host);
  if (!direct) return undefined;
  const cell = draft.cell(direct);
  // On the way back, a step `only: undo` is done under direction `do` on its host.
  const direction = direct.leaf.only === 'undo' ? 'undo' : input.direction;
  if (cell.settled.includes(tryName({ direction, attempt: input.attempt }))) return undefined;
  const current = cell.direction === direction && cell.attempts[direction] === input.attempt;
  if (current && (isInFlight(cell) || cell.phase === 'unknown')) return { ref: direct, cell };
  return undefined;
}

export function isInFlight(cell: Cell): boolean {
  return cell.phase === 'dispatched' || (cell.phase === 'compensating' && cell.work?.kind === 'command');
}
