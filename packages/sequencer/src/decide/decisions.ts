import type { Actor } from '@signalbox/protocol';
import { blockers, isTurned } from '../blockers.ts';
import type { Cell } from '../cell.ts';
import { sequencerError } from '../codes.ts';
import type { Input } from '../inputs.ts';
import { isLeftOut } from '../state.ts';
import { type CellRef, indexOf, spokenId } from '../tree.ts';
import { currentTry, type Draft } from './draft.ts';
import { sendBack } from './relied-on.ts';
import { askVotersAgain } from './rounds.ts';

// What a person decides about one step, or one host, that cannot go on by itself.

type Of<T extends Input['type']> = Extract<Input, { type: T }>;

/** Once more: what has failed, or what a host's report has contradicted. */
export function onRetry(draft: Draft, input: Of<'retry'>): void {
  const ref = theOne(draft, input, (r, cell) => {
    if (cell.direction === 'do' && isTurned(draft.state, r)) return false;
    const ended = cell.phase === 'succeeded' || cell.phase === 'compensated';
    return cell.phase === 'failed' || (ended && isInConflict(draft, r));
  });
  const cell = draft.cell(ref);
  if (cell.phase === 'succeeded') sendBack(draft, ref, `${ref.leaf.id} is done again`);
  draft.emit({ type: 'StepReset', ...currentTry(cell), reason: input.note, by: input.by });
  goOn(draft, ref, input);
}

export function onSkip(draft: Draft, input: Of<'skip'>): void {
  const ref = theOne(draft, input, (r, cell) => {
    if (cell.direction === 'do')
      return !isTurned(draft.state, r) && ['pending', 'gated', 'failed'].includes(cell.phase);
    const waits = cell.phase === 'compensating' && cell.work?.kind !== 'command';
    return waits || ['pending', 'failed', 'unknown'].includes(cell.phase);
  });
  const cell = draft.cell(ref);
  if (cell.direction === 'do') refuseGuarded(draft, ref, 'skipped');
  draft.emit({ type: 'StepSkipped', ...currentTry(cell), by: input.by, reason: input.note });
  goOn(draft, ref, input);
}

/** [I5] The operator says what nobody else can: it was done, or it was not. */
export function onResolve(draft: Draft, input: Of<'resolve'>): void {
  const ref = theOne(draft, input, (_, cell) => {
    return cell.phase === 'unknown' || (cell.phase === 'failed' && cell.direction === 'undo');
  });
  const cell = draft.cell(ref);
  const base = currentTry(cell);
  if (input.as === 'succeeded') {
    if (cell.direction === 'do') refuseGuarded(draft, ref, 'declared done');
    draft.emit({ type: 'StepSucceeded', ...base, via: 'operator', by: input.by, note: input.note });
  } else {
    draft.emit({ type: 'StepReset', ...base, reason: input.note, by: input.by });
  }
  goOn(draft, ref, input);
}

/** A person has done what a manual step asks for, this way or back. */
export function onConfirm(draft: Draft, input: Of<'confirm'>): void {
  const ref = theOne(draft, { ...input, host: undefined }, (_, cell) => {
    return cell.work?.kind === 'manual' && (cell.phase === 'gated' || cell.phase === 'compensating');
  });
  const base = currentTry(draft.cell(ref));
  draft.emit({ type: 'StepSucceeded', ...base, via: 'operator', by: input.by, note: input.note });
  goOn(draft, ref, input);
}

/** Goes on without a host. What it has begun stays with it and is named in the report. */
export function onDrop(draft: Draft, { host, by, note }: Of<'drop'>): void {
  const { plan, direction, dropped } = draft.state;
  if (direction === 'undo') {
    throw sequencerError('SB-RUN-STATE', 'on the way back no host is left out: skip its undo by name');
  }
  const refs = indexOf(plan).refs.filter((ref) => ref.host === host);
  if (refs.length === 0) throw sequencerError('SB-RUN-NO-STEP', `${host} has no part in this run`);
  if (dropped.has(host)) throw sequencerError('SB-RUN-STATE', `${host} has been dropped already`);
  const role = Object.entries(plan.roles).find(([, hosts]) => hosts.filter((h) => !dropped.has(h)).join() === host);
  if (role) throw sequencerError('SB-RUN-GUARDED', `${host} is the only host left of its role ${role[0]}`);
  for (const ref of refs) refuseGuarded(draft, ref, 'dropped');
  draft.emit({ type: 'HostDropped', host, group: null, by, reason: note });
  askVotersAgain(draft);
  goOn(draft, undefined, { by, note });
}

/** After a decision: on, unless something else stands in the way, or the run was paused anyway. */
function goOn(draft: Draft, decided: CellRef | undefined, { by, note }: { by: Actor; note: string }): void {
  const { state } = draft;
  if (state.status !== 'held' || blockers(state).length > 0) return;
  const standing = state.reasons.some((reason) => {
    const about = decided && reason.step === decided.leaf.id && (reason.host ?? null) === decided.host;
    return ['conflict', 'deadline', 'rejected', 'manual'].includes(reason.cause) && !about;
  });
  if (standing) return;
  if (state.paused) draft.emit({ type: 'HoldLifted' });
  else draft.emit({ type: 'Resumed', by, note });
}

function isInConflict(draft: Draft, { leaf, host }: CellRef): boolean {
  return draft.state.reasons.some((r) => r.cause === 'conflict' && r.step === leaf.id && r.host === host);
}

/** [I10] Neither a guard of a point of no return nor an exclusive resource is satisfied by somebody's word. */
function refuseGuarded(draft: Draft, ref: CellRef, verb: string): void {
  if (isLeftOut(draft.state, ref.host)) return;
  const { refs } = indexOf(draft.state.plan);
  const guards = refs.some((r) => r.leaf.kind === 'pointOfNoReturn' && r.leaf.guards.includes(ref.leaf.id));
  const exclusive =
    ref.leaf.kind === 'action' && ref.leaf.targets.some((t) => t.host === ref.host && t.exclusive.length > 0);
  const asked = ref.leaf.kind === 'approval' && !ref.onlyUndo;
  if (!guards && !exclusive && !asked && ref.leaf.kind !== 'pointOfNoReturn') return;
  const what = whyGuarded({ exclusive, asked });
  throw sequencerError('SB-RUN-GUARDED', `${ref.leaf.id} ${what} and cannot be ${verb}`);
}

function whyGuarded({ exclusive, asked }: { exclusive: boolean; asked: boolean }): string {
  if (exclusive) return 'handles an exclusive resource';
  return asked ? 'is for approvers to give' : 'guards a point of no return';
}

/** The step instance on the host that was meant, when exactly one is in a state that fits. */
function theOne(
  draft: Draft,
  { step, host }: { step: string; host: string | undefined },
  fits: (ref: CellRef, cell: Cell) => boolean,
): CellRef {
  const named = indexOf(draft.state.plan).refs.filter(
    ({ leaf, ...ref }) => (leaf.id === step || spokenId(leaf.id) === step) && (host === undefined || ref.host === host),
  );
  if (named.length === 0) {
    throw sequencerError('SB-RUN-NO-STEP', `${draft.state.run} has no step ${step}${host ? ` on ${host}` : ''}`);
  }
  const fitting = named.filter((ref) => !isLeftOut(draft.state, ref.host) && fits(ref, draft.cell(ref)));
  const [only] = fitting;
  if (fitting.length === 1 && only) return only;
  const phases = named.map((ref) => `${ref.host ?? 'the run'}: ${draft.cell(ref).phase}`).join(', ');
  if (fitting.length > 1) {
    throw sequencerError('SB-RUN-NO-STEP', `${step} is open on several hosts; name one (${phases})`);
  }
  throw sequencerError('SB-RUN-STATE', `${step} is not in a state for this (${phases})`);
}
