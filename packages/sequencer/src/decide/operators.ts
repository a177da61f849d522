import { blockers } from '../blockers.ts';
import { sequencerError } from '../codes.ts';
import type { Input } from '../inputs.ts';
import { appliedOf } from '../leftovers.ts';
import { type CellRef, indexOf, writtenId } from '../tree.ts';
import { currentTry, type Draft } from './draft.ts';

type Of<T extends Input['type']> = Extract<Input, { type: T }>;

export function onPause(draft: Draft, { by, note }: Of<'pause'>): void {
  const { status } = draft.state;
  if (status !== 'running' && status !== 'compensating') {
    throw sequencerError('SB-RUN-STATE', `${draft.state.run} is ${status}; only a moving run can be paused`);
  }
  draft.emit({ type: 'Paused', by, ...(note === undefined ? {} : { note }) });
}

/** Asks again what may be asked again: gates, proofs, records, broken fences, failed undos. The rest needs a decision. */
export function onResume(draft: Draft, { by, note }: Of<'resume'>): void {
  const { status, run } = draft.state;
  if (status !== 'held' && status !== 'paused')
    throw sequencerError('SB-RUN-STATE', `${run} is ${status}, not held or paused`);
  if (status === 'held') {
    const undecided = blockers(draft.state).find((r) => r.cause === 'failed' || r.cause === 'unknown');
    if (undecided) {
      const at = undecided.host ? ` on ${undecided.host}` : '';
      throw sequencerError(
        'SB-RUN-NEEDS-DECISION',
        `${undecided.step}${at} is ${undecided.cause}: ${undecided.failure.message}`,
      );
    }
    askAgain(draft);
  }
  draft.emit({ type: 'Resumed', by, ...(note === undefined ? {} : { note }) });
}

function askAgain(draft: Draft): void {
  for (const ref of indexOf(draft.state.plan).refs) {
    const cell = draft.cell(ref);
    if (ref.host !== null && draft.state.dropped.has(ref.host)) continue;
    const fence = cell.broken !== undefined && cell.phase === 'succeeded' && draft.state.crossed.length === 0;
    const failed =
      cell.phase === 'failed' && (cell.direction === 'undo' || ref.leaf.kind !== 'action' || !cell.applied);
    const open = cell.phase === 'gated' && ref.leaf.kind === 'gate';
    if (fence || failed || open) draft.emit({ type: 'StepReset', ...currentTry(cell), reason: 'resumed: asked again' });
  }
}

export function onRetry(draft: Draft, input: Of<'retry'>): void {
  const ref = theOne(draft, input, (r) => draft.cell(r).phase === 'failed');
  draft.emit({ type: 'StepReset', ...currentTry(draft.cell(ref)), reason: input.note, by: input.by });
  goOn(draft, input);
}

export function onSkip(draft: Draft, input: Of<'skip'>): void {
  const ref = theOne(draft, input, (r) => ['pending', 'gated', 'failed'].includes(draft.cell(r).phase));
  const cell = draft.cell(ref);
  if (cell.direction === 'do') refuseGuarded(draft, ref, 'skipped');
  const attempt = Math.max(1, cell.attempts[cell.direction]);
  draft.emit({ type: 'StepSkipped', ...currentTry(cell), attempt, by: input.by, reason: input.note });
  goOn(draft, input);
}

/** [I5] The operator says what nobody else can: it was done, or it was not. */
export function onResolve(draft: Draft, input: Of<'resolve'>): void {
  const isOpen = (ref: CellRef) => {
    const cell = draft.cell(ref);
    return cell.phase === 'unknown' || (cell.phase === 'failed' && cell.direction === 'undo');
  };
  const ref = theOne(draft, input, isOpen);
  const cell = draft.cell(ref);
  if (cell.direction === 'do') refuseGuarded(draft, ref, 'declared done');
  const base = currentTry(cell);
  if (input.as === 'succeeded')
    draft.emit({ type: 'StepSucceeded', ...base, via: 'operator', by: input.by, note: input.note });
  else draft.emit({ type: 'StepReset', ...base, reason: input.note, by: input.by });
  goOn(draft, input);
}

export function onConfirm(draft: Draft, input: Of<'confirm'>): void {
  const ref = theOne(draft, { ...input, host: undefined }, (r) => {
    const cell = draft.cell(r);
    return cell.work?.kind === 'manual' && (cell.phase === 'gated' || cell.phase === 'compensating');
  });
  draft.emit({
    type: 'StepSucceeded',
    ...currentTry(draft.cell(ref)),
    via: 'operator',
    by: input.by,
    note: input.note,
  });
}

/** Goes on without a host. What it has begun stays with it and is named in the report. */
export function onDrop(draft: Draft, { host, by, note }: Of<'drop'>): void {
  const { plan, direction } = draft.state;
  const role = Object.entries(plan.roles).find(([, hosts]) => hosts.length === 1 && hosts.includes(host));
  if (role) throw sequencerError('SB-RUN-GUARDED', `${host} is the only host of its role ${role[0]}`);
  if (direction === 'undo')
    throw sequencerError('SB-RUN-STATE', 'on the way back no host is left out: skip its undo by name');
  const refs = indexOf(plan).refs.filter((ref) => ref.host === host);
  if (refs.length === 0) throw sequencerError('SB-RUN-NO-STEP', `${host} has no part in this run`);
  for (const ref of refs) refuseGuarded(draft, ref, 'dropped');
  draft.emit({ type: 'HostDropped', host, group: null, by, reason: note });
  goOn(draft, { by, note });
}

export function onAbort(draft: Draft, { mode, by, note }: Of<'abort'>): void {
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
  if (state.direction === 'undo')
    throw sequencerError('SB-RUN-STATE', `${state.run} is being taken back already; resume it if it is held`);
  draft.emit({ type: 'UndoStarted', reason: failure, by });
}

export function onAdjust(draft: Draft, { type: _, step, by, note, ...change }: Of<'adjust'>): void {
  const gates = indexOf(draft.state.plan).refs.filter(
    (ref) => ref.leaf.kind === 'gate' && (ref.leaf.id === step || writtenId(ref.leaf.id) === step),
  );
  if (gates.length === 0) throw sequencerError('SB-RUN-NO-STEP', `${draft.state.run} has no gate ${step}`);
  for (const id of new Set(gates.map((ref) => ref.leaf.id))) {
    draft.emit({ type: 'GateAdjusted', step: id, by, note, ...change });
  }
}

/** After a decision: on, unless something else stands in the way. */
function goOn(draft: Draft, { by, note }: { by: Of<'retry'>['by']; note: string }): void {
  if (draft.state.status === 'held' && blockers(draft.state).length === 0) draft.emit({ type: 'Resumed', by, note });
}

function refuseGuarded(draft: Draft, ref: CellRef, verb: string): void {
  const { refs } = indexOf(draft.state.plan);
  const guards = refs.some((r) => r.leaf.kind === 'pointOfNoReturn' && r.leaf.guards.includes(ref.leaf.id));
  const exclusive =
    ref.leaf.kind === 'action' && ref.leaf.targets.some((t) => t.host === ref.host && t.exclusive.length > 0);
  if (!guards && !exclusive && ref.leaf.kind !== 'pointOfNoReturn') return;
  const what = exclusive ? 'handles an exclusive resource' : 'guards a point of no return';
  throw sequencerError('SB-RUN-GUARDED', `${ref.leaf.id} ${what} and cannot be ${verb}`);
}

/** The step instance on the host that was meant, when exactly one is in a state that fits. */
function theOne(
  draft: Draft,
  { step, host }: { step: string; host: string | undefined },
  fits: (ref: CellRef) => boolean,
): CellRef {
  const named = indexOf(draft.state.plan).refs.filter(
    (ref) => ref.leaf.id === step && (host === undefined || ref.host === host),
  );
  if (named.length === 0) {
    throw sequencerError('SB-RUN-NO-STEP', `${draft.state.run} has no step ${step}${host ? ` on ${host}` : ''}`);
  }
  const fitting = named.filter(fits);
  const [only] = fitting;
  if (fitting.length === 1 && only) return only;
  const phases = named.map((ref) => `${ref.host ?? 'the run'}: ${draft.cell(ref).phase}`).join(', ');
  if (fitting.length > 1)
    throw sequencerError('SB-RUN-NO-STEP', `${step} is open on several hosts; name one (${phases})`);
  throw sequencerError('SB-RUN-STATE', `${step} is not in a state for this (${phases})`);
}
