import { DEFAULTS, formatDuration, type GroupStep, type PlanStep } from '@signalbox/protocol';
import { clocksOf } from '../clocks.ts';
import { sequencerError } from '../codes.ts';
import type { RunState } from '../state.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { refsIn } from '../walk.ts';
import { currentTry, type Draft } from './draft.ts';
import { onFailure } from './failure.ts';
import { becomeUnknown, isInFlight } from './reports.ts';
import { failGate } from './samples.ts';

/** Everything whose time is over now. Called on every tick; does nothing twice. */
export function onTick(draft: Draft): void {
  for (const ref of indexOf(draft.state.plan).refs) onCellTime(draft, ref);
  if (draft.state.direction === 'do' && draft.state.crossed.length === 0) {
    for (const node of draft.state.plan.steps) onGroupTime(draft, node);
  }
  onBudgets(draft);
}

function onCellTime(draft: Draft, ref: CellRef): void {
  const dueMs = dueRunMs(draft.state, ref);
  if (dueMs === undefined || dueMs > draft.now.runMs) return;
  const cell = draft.cell(ref);
  const at = ref.host === null ? ref.leaf.id : `${ref.leaf.id} on ${ref.host}`;
  switch (cell.work?.kind) {
    case 'command':
      becomeUnknown(draft, ref, sequencerError('SB-STEP-NO-REPORT', `no report of ${at} in its time`).failure);
      return;
    case 'gate': {
      const waitedMs = draft.now.runMs - (cell.startedRunMs ?? 0);
      failGate(
        draft,
        ref,
        sequencerError('SB-GATE-TIMEOUT', `${at} was not met in ${formatDuration(waitedMs)}`).failure,
      );
      return;
    }
    case 'proof': {
      const hosts = [...new Set(cell.work.guards.map((g) => g.host))].join(', ');
      const { failure } = sequencerError('SB-EXCLUSIVE-NOT-PROVEN', `${at} waits for proof from ${hosts}`);
      draft.emit({ type: 'StepFailed', ...currentTry(cell), failure, unapplied: true });
      onFailure(draft, ref, { failure, wish: 'hold', cause: 'gate' });
      return;
    }
    case 'record': {
      const { failure } = sequencerError('SB-RECORD-FAILED', `${at} could not be measured`);
      draft.emit({ type: 'StepFailed', ...currentTry(cell), failure, unapplied: true });
      onFailure(draft, ref, { failure, wish: 'hold', cause: 'gate' });
      return;
    }
    case 'round': {
      const { failure } = sequencerError('SB-GUARD-STALE', `the guards of ${at} did not answer in time`);
      draft.emit({ type: 'StepFailed', ...currentTry(cell), failure, unapplied: true });
      draft.hold({ cause: 'gate', step: ref.leaf.id, host: null, failure });
      return;
    }
    case 'approval':
      draft.emit({ type: 'ApprovalVoided', step: ref.leaf.id, reason: 'it was not used while it was valid' });
      return;
    default:
      return;
  }
}

/** When, in run time, a cell's patience ends. While the run is held or paused, only commands' clocks matter. */
export function dueRunMs(state: RunState, ref: CellRef): number | undefined {
  const cell = state.cells.get(ref.key);
  if (!cell?.work || cell.startedRunMs === undefined) return undefined;
  const { work, startedRunMs } = cell;
  if (work.kind === 'command') {
    return isInFlight(cell)
      ? startedRunMs + DEFAULTS.commandTtlMs + work.timeoutMs + DEFAULTS.silenceSlackMs
      : undefined;
  }
  if (state.status !== 'running' && state.status !== 'compensating') return undefined;
  if (cell.phase !== 'gated' && cell.phase !== 'compensating') return undefined;
  if (work.kind === 'gate') {
    const adjusted = state.adjustments.get(cell.step)?.timeoutMs;
    return adjusted === undefined ? work.deadlineRunMs : startedRunMs + adjusted;
  }
  if (work.kind === 'approval') return oldestApprovalEnds(state, ref);
  return work.kind === 'manual' ? undefined : work.deadlineRunMs;
}

function oldestApprovalEnds(state: RunState, ref: CellRef): number | undefined {
  const rule = ref.leaf.kind === 'approval' || ref.leaf.kind === 'pointOfNoReturn' ? ref.leaf.approve : undefined;
  const oldest = state.cells.get(ref.key)?.approvals[0];
  return rule?.validForMs === undefined || oldest === undefined ? undefined : oldest.runMs + rule.validForMs;
}

function onGroupTime(draft: Draft, node: PlanStep): void {
  if (node.kind !== 'group' || draft.state.direction === 'undo') return;
  for (const child of node.children) onGroupTime(draft, child);
  const passed = passedDeadline(draft.state, node, draft.now.atMs, draft.now.runMs);
  if (passed === undefined || draft.state.deadlines.has(node.id)) return;
  const { failure } = sequencerError('SB-DEADLINE', `${node.id}: ${passed}`);
  if (node.timing?.onDeadline === 'rollback') draft.startUndo(failure, { step: node.id, host: null });
  else draft.hold({ cause: 'deadline', step: node.id, host: null, failure });
}

function passedDeadline(state: RunState, group: GroupStep, atMs: number, runMs: number): string | undefined {
  const { decideByMs, timeoutMs } = group.timing ?? {};
  const refs = refsIn(state, group);
  const over = refs.every((ref) => ['succeeded', 'skipped', 'dropped'].includes(state.cells.get(ref.key)?.phase ?? ''));
  if (over) return undefined;
  if (decideByMs !== undefined && atMs >= decideByMs) {
    return `not decided by ${new Date(decideByMs).toISOString()}`;
  }
  const started = refs.flatMap((ref) => state.cells.get(ref.key)?.startedRunMs ?? []);
  if (timeoutMs !== undefined && started.length > 0 && runMs >= Math.min(...started) + timeoutMs) {
    return `not over in ${formatDuration(timeoutMs)}`;
  }
  return undefined;
}

function onBudgets(draft: Draft): void {
  for (const { clock, elapsedMs } of clocksOf(draft.state, draft.now.runMs)) {
    if (clock.budgetMs === undefined || elapsedMs === undefined || elapsedMs < clock.budgetMs) continue;
    if (draft.state.budgets.has(clock.name)) continue;
    draft.emit({ type: 'BudgetPassed', clock: clock.name, budgetMs: clock.budgetMs });
    if (clock.onBudget === 'warn' || draft.state.direction === 'undo' || draft.state.crossed.length > 0) continue;
    const { failure } = sequencerError('SB-DEADLINE', `${clock.name} has been down for ${formatDuration(elapsedMs)}`);
    if (clock.onBudget === 'rollback') draft.startUndo(failure);
    else draft.hold({ cause: 'deadline', step: clock.name, host: null, failure });
  }
}
