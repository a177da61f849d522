import {
  commandId,
  DEFAULTS,
  type Direction,
  type ExclusiveGuard,
  type JsonObject,
  SignalboxError,
  type Work,
} from '@signalbox/protocol';
import { sequencerError } from '../codes.ts';
import { resolveCondition, resolveObject } from '../resolve.ts';
import type { RunState } from '../state.ts';
import type { CellRef } from '../tree.ts';
import { cellOf } from '../walk.ts';
import type { Draft } from './draft.ts';
import { onFailure } from './failure.ts';

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
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code === 'SB-RUN-LOG') throw error;
    draft.emit({ type: 'StepFailed', ...base, failure: error.failure, unapplied: true });
    onFailure(draft, ref, { failure: error.failure, wish: 'rollback', cause: 'failed' });
  }
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
          guards: guards.flatMap(perHost),
          deadlineRunMs: context.runMs + DEFAULTS.proofTimeoutMs,
        };
      }
      return commandWork(state, ref, context);
    }
    case 'gate': {
      const target = leaf.targets.find((t) => t.host === host);
      if (!target) throw sequencerError('SB-RUN-LOG', `gate ${leaf.id} has no target ${host}`);
      const timeoutMs = state.adjustments.get(leaf.id)?.timeoutMs ?? leaf.timeoutMs;
      return {
        kind: 'gate',
        probe: leaf.probe,
        with: resolveObject(state, target.with),
        until: resolveCondition(state, target.until),
        ...(target.failIf ? { failIf: resolveCondition(state, target.failIf) } : {}),
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
        text: context.direction === 'do' ? leaf.do : (leaf.undo ?? `Take back by hand: ${leaf.do}`),
      };
    case 'pointOfNoReturn':
      return leaf.approve ? { kind: 'approval' } : roundWork(state, context.runMs);
  }
}

/** The command itself, once nothing stands between it and its host. */
function commandWork(state: RunState, ref: CellRef, context: StartContext): Work {
  const { leaf, host } = ref;
  const target = leaf.kind === 'action' ? leaf.targets.find((t) => t.host === host) : undefined;
  if (leaf.kind !== 'action' || !target || host === null) throw sequencerError('SB-RUN-LOG', `${ref.key} is no action`);
  const undoing = context.direction === 'undo' && leaf.only !== 'undo';
  if (undoing && !leaf.reversible) {
    throw sequencerError('SB-STEP-NO-UNDO', `${leaf.id} (${target.does}) has been done on ${host} and has no undo`);
  }
  const cell = cellOf(state, ref);
  const receipt: JsonObject = { ...cell.before, ...cell.receipt };
  return {
    kind: 'command',
    // A step `only: undo` is done, not undone, on the way back.
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
  };
}

export function roundWork(state: RunState, runMs: number): Work {
  return { kind: 'round', round: state.rounds + 1, deadlineRunMs: runMs + DEFAULTS.proofTimeoutMs };
}

/** [I10] What must be proven stopped elsewhere before this step may run this way. */
export function exclusiveGuards(ref: CellRef, direction: Direction): readonly ExclusiveGuard[] {
  if (ref.leaf.kind !== 'action') return [];
  const target = ref.leaf.targets.find((t) => t.host === ref.host);
  return (target?.exclusive ?? []).filter((guard) => guard.direction === direction && guard.hosts.length > 0);
}

function perHost(guard: ExclusiveGuard) {
  return guard.hosts.map((host) => ({
    resource: guard.resource,
    host,
    probe: guard.probe,
    with: guard.with,
    until: guard.until,
  }));
}
