import { type Failure, judge } from '@signalbox/protocol';
import { sequencerError } from '../codes.ts';
import type { Input } from '../inputs.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { currentTry, type Draft } from './draft.ts';
import { onFailure } from './failure.ts';
import { roundWork, startProven } from './start.ts';

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
  draft.emit({ type: 'StepSucceeded', ...currentTry(draft.cell(ref)), via: 'sample', values: input.values });
}

export function onProven(draft: Draft, input: Of<'proven'>): void {
  const ref = waiting(draft, input, 'proof');
  if (ref) startProven(draft, ref);
}

/**
 * Dispatch stops at once, open approvals are void, and whatever was true only while this fence held must be met again.
 * After the point of no return there is no way back to protect: the break is recorded, and the screens warn.
 */
export function onFenceBroke(draft: Draft, input: Of<'fenceBroke'>): void {
  const ref = draft.ref(input.step, input.host);
  if (ref?.leaf.kind !== 'gate' || ref.leaf.fence === undefined || draft.state.direction === 'undo') return;
  const cell = draft.cell(ref);
  if (cell.phase !== 'succeeded' || cell.broken !== undefined) return;
  draft.emit({ type: 'FenceBroken', step: input.step, host: input.host, values: input.values, why: input.why });
  if (draft.state.crossed.length > 0) return;
  const message = `fence ${ref.leaf.id} on ${input.host}: ${input.why}`;
  const { failure } = sequencerError('SB-FENCE-BROKEN', message, { details: { values: input.values } });
  voidWhatReliedOn(draft, ref.leaf.id);
  onFailure(draft, ref, { failure, wish: ref.leaf.fence.onBreak, cause: 'fence' });
}

function voidWhatReliedOn(draft: Draft, fence: string): void {
  for (const ref of indexOf(draft.state.plan).refs) {
    const cell = draft.cell(ref);
    if (cell.approvals.length > 0 && (cell.phase === 'gated' || cell.phase === 'pending')) {
      draft.emit({ type: 'ApprovalVoided', step: ref.leaf.id, reason: `fence ${fence} broke` });
    }
    if (ref.leaf.kind === 'gate' && ref.leaf.validWhile.includes(fence) && cell.phase === 'succeeded') {
      draft.emit({ type: 'StepReset', ...currentTry(cell), reason: `it was true only while ${fence} held` });
    }
  }
}

/**
 * The last look before a point of no return. A guard holds when its fence never broke and a sample taken for this round
 * agrees with it; a guard that is valid while fences hold is as fresh as they are.
 */
export function onRoundSampled(draft: Draft, input: Of<'roundSampled'>): void {
  const ref = draft.ref(input.step, null);
  if (ref?.leaf.kind !== 'pointOfNoReturn') return;
  const { work } = draft.cell(ref);
  if (draft.cell(ref).phase !== 'gated' || work?.kind !== 'round' || work.round !== input.round) return;
  const stale = guardsOf(draft, ref).flatMap((guard) => staleness(draft, guard, input) ?? []);
  if (stale.length === 0) {
    const evidence = input.samples.map(({ step, host, values }) => ({ step, host, values: values ?? {} }));
    draft.emit({ type: 'Crossed', step: ref.leaf.id, round: input.round, evidence });
    draft.emit({ type: 'StepSucceeded', ...currentTry(draft.cell(ref)), via: 'sample' });
    return;
  }
  for (const { guard, why, values } of stale) {
    draft.emit({ type: 'FenceBroken', step: guard.leaf.id, host: guard.host ?? '', values, why });
  }
  const message = stale.map(({ guard, why }) => `${guard.leaf.id} on ${guard.host}: ${why}`).join('; ');
  const { failure } = sequencerError('SB-GUARD-STALE', message);
  draft.emit({ type: 'StepFailed', ...currentTry(draft.cell(ref)), failure, unapplied: true });
  draft.hold({ cause: 'gate', step: ref.leaf.id, host: null, failure });
}

/** The gates, on each host, that guard a point of no return. */
export function guardsOf(draft: Pick<Draft, 'state'>, ref: CellRef): readonly CellRef[] {
  if (ref.leaf.kind !== 'pointOfNoReturn') return [];
  const { byStep } = indexOf(draft.state.plan);
  return ref.leaf.guards
    .flatMap((id) => byStep.get(id) ?? [])
    .filter((r) => r.host !== null && !draft.state.dropped.has(r.host));
}

function staleness(draft: Draft, guard: CellRef, input: Of<'roundSampled'>) {
  const cell = draft.cell(guard);
  if (guard.leaf.kind !== 'gate') return undefined;
  const sample = input.samples.find((s) => s.step === guard.leaf.id && s.host === guard.host);
  const values = sample?.values ?? {};
  const because = (why: string) => ({ guard, why, values });
  if (cell.phase !== 'succeeded' || cell.broken !== undefined) return because(cell.broken ?? 'it is not met');
  if (guard.leaf.validWhile.length > 0) return undefined;
  if (sample?.values === undefined) return because('no fresh sample could be taken');
  const target = guard.leaf.targets.find((t) => t.host === guard.host);
  const window = [
    { atMs: 0, values: cell.values ?? {} },
    { atMs: 1, values: sample.values },
  ];
  const broken = judge(target?.until ?? {}, window).find((j) => j.breaks);
  return broken
    ? because(
        `${broken.key} is ${JSON.stringify(broken.have ?? null)}, want ${broken.op} ${JSON.stringify(broken.want)}`,
      )
    : undefined;
}

/** Enough approvals: an approval step is done; a point of no return asks its guards. */
export function onApproved(draft: Draft, ref: CellRef): void {
  const base = currentTry(draft.cell(ref));
  if (ref.leaf.kind === 'approval') draft.emit({ type: 'StepSucceeded', ...base, via: 'operator' });
  else draft.emit({ type: 'StepStarted', ...base, work: roundWork(draft.state, draft.now.runMs) });
}

/** The cell, when it waits for a sample of this kind. A late sample of something that is over is nothing. */
function waiting(
  draft: Draft,
  { step, host }: { step: string; host: string },
  kind: 'gate' | 'record' | 'proof',
): CellRef | undefined {
  const ref = draft.ref(step, host);
  if (!ref) return undefined;
  const cell = draft.cell(ref);
  return (cell.phase === 'gated' || cell.phase === 'compensating') && cell.work?.kind === kind ? ref : undefined;
}
