import {
  commandId,
  DEFAULTS,
  type Direction,
  type ExclusiveGuard,
  type JsonObject,
  type ManualStep,
  SignalboxError,
  type Work,
} from '@signalbox/protocol';
import { sequencerError } from '../codes.ts';
import { untilOf } from '../conditions.ts';
import { resolveCondition, resolveObject } from '../resolve.ts';
import type { RunState } from '../state.ts';
import type { CellRef } from '../tree.ts';
import { crossingOf, roundWork } from '../voters.ts';
import { cellOf } from '../walk.ts';
import type { Draft } from './draft.ts';
import { onFailure } from './failure.ts';
import { concludeRound } from './rounds.ts';

/** Begins a step on a host, one way or the other. What it asks for is in the log before anybody is asked. */
export function startStep(draft: Draft, ref: CellRef, direction: Direction): void {
  const attempt = draft.cell(ref).attempts[direction] + 1;
  start(draft, ref, { direction, attempt, make: firstWork });
}

/** [I10] The resource is proven stopped everywhere else: the command goes out, under the same attempt. */
export function startProven(draft: Draft, ref: CellRef): void {
  const { direction, attempts } = draft.cell(ref);
  start(draft, ref, { direction, attempt: attempts[direction], make: commandWork });
}

function start(
  draft: Draft,
  ref: CellRef,
  { direction, attempt, make }: { direction: Direction; attempt: number; make: typeof commandWork },
): void {
  const base = { step: ref.leaf.id, host: ref.host, direction, attempt };
  try {
    const work = make(draft.state, ref, { direction, attempt, nowMs: draft.now.atMs, runMs: draft.now.runMs });
    draft.emit({ type: 'StepStarted', ...base, work });
    if (isUndoOf(ref, direction)) holdForHand(draft, ref);
    if (work.kind === 'round') concludeRound(draft, ref);
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code === 'SB-RUN-LOG') throw error;
    draft.emit({ type: 'StepFailed', ...base, failure: error.failure, unapplied: true });
    onFailure(draft, ref, { failure: error.failure, wish: 'rollback', cause: 'failed' });
  }
}

/** A person's step without an `undo`: the way back is held there until somebody says that it has been taken back. */
function holdForHand(draft: Draft, ref: CellRef): void {
  if (ref.leaf.kind !== 'manual' || ref.leaf.undo !== undefined) return;
  const { failure } = sequencerError(
    'SB-STEP-NO-UNDO',
    `${ref.leaf.id} was done by hand and has no undo: ${ref.leaf.do}`,
  );
  draft.hold({ cause: 'manual', step: ref.leaf.id, host: null, failure });
}

interface StartContext {
  readonly direction: Direction;
  readonly attempt: number;
  readonly nowMs: number;
  readonly runMs: number;
}

function firstWork(state: RunState, ref: CellRef, context: StartContext): Work {
  const { leaf, host } = ref;
  switch (leaf.kind) {
    case 'action': {
      const guards = exclusiveGuards(ref, context.direction);
      if (guards.length > 0) {
        return {
          kind: 'proof',
          guards: guards.flatMap((guard) => perHost(state, guard)),
          deadlineRunMs: proofDeadline(context.runMs),
        };
      }
      return commandWork(state, ref, context);
    }
    case 'gate': {
      const target = leaf.targets.find((t) => t.host === host);
      const timeoutMs = state.adjustments.get(leaf.id)?.timeoutMs ?? leaf.timeoutMs;
      return {
        kind: 'gate',
        probe: leaf.probe,
        with: resolveObject(state, target?.with ?? {}),
        until: untilOf(state, leaf, host),
        ...(target?.failIf ? { failIf: resolveCondition(state, target.failIf) } : {}),
        deadlineRunMs: context.runMs + timeoutMs,
      };
    }
    case 'record': {
      const target = leaf.targets.find((t) => t.host === host);
      const input = resolveObject(state, target?.with ?? {});
      return { kind: 'record', probe: leaf.probe, with: input, deadlineRunMs: context.runMs + leaf.timeoutMs };
    }
    case 'approval':
      return { kind: 'approval' };
    case 'manual':
      return {
        kind: 'manual',
        text: isUndoOf(ref, context.direction) ? takeBackText(leaf) : leaf.do,
        ...(leaf.changes === false ? { changes: false } : {}),
      };
    case 'pointOfNoReturn':
      return leaf.approve ? { kind: 'approval' } : roundWork(state, ref, context.runMs);
  }
}

/** The command itself, once nothing stands between it and its host. */
function commandWork(state: RunState, ref: CellRef, context: StartContext): Work {
  const { leaf, host } = ref;
  const target = leaf.kind === 'action' ? leaf.targets.find((t) => t.host === host) : undefined;
  if (leaf.kind !== 'action' || !target || host === null) throw sequencerError('SB-RUN-LOG', `${ref.key} is no action`);
  const undoing = isUndoOf(ref, context.direction);
  if (undoing && !leaf.reversible) {
    throw sequencerError('SB-STEP-NO-UNDO', `${leaf.id} (${target.does}) has been done on ${host} and has no undo`);
  }
  const cell = cellOf(state, ref);
  const receipt: JsonObject = { ...cell.before, ...cell.receipt };
  const crossing = crossingOf(state, ref);
  return {
    kind: 'command',
    id: commandId({
      run: state.run,
      step: leaf.id,
      host,
      direction: undoing ? 'undo' : 'do',
      attempt: context.attempt,
    }),
    action: leaf.action,
    version: leaf.version,
    with: resolveObject(state, target.with),
    ...(undoing ? { receipt } : {}),
    notAfterMs: context.nowMs + DEFAULTS.commandTtlMs,
    timeoutMs: leaf.timeoutMs,
    ...(crossing ? { crossing } : {}),
  };
}

/** On the way back, a step `only: undo` is done, not undone. */
function isUndoOf(ref: CellRef, direction: Direction): boolean {
  return direction === 'undo' && !ref.onlyUndo;
}

function takeBackText(leaf: ManualStep): string {
  return leaf.undo ?? `Take back by hand: ${leaf.do}`;
}

/** Until then, samples that were asked for on the spot have to be there. */
function proofDeadline(runMs: number): number {
  return runMs + DEFAULTS.proofTimeoutMs;
}

/** [I10] What must be proven stopped elsewhere before this step may run this way. */
export function exclusiveGuards(ref: CellRef, direction: Direction): readonly ExclusiveGuard[] {
  if (ref.leaf.kind !== 'action') return [];
  const target = ref.leaf.targets.find((t) => t.host === ref.host);
  const effective = isUndoOf(ref, direction) ? 'undo' : 'do';
  return (target?.exclusive ?? []).filter((guard) => guard.direction === effective && guard.hosts.length > 0);
}

function perHost(state: RunState, guard: ExclusiveGuard) {
  const { resource, probe } = guard;
  const input = resolveObject(state, guard.with);
  const until = resolveCondition(state, guard.until);
  return guard.hosts.map((host) => ({ resource, host, probe, with: input, until }));
}
