import { type Failure, formatDuration, type GroupStep, type PlanStep } from '@signalbox/protocol';
import { clocksOf } from '../clocks.ts';
import { sequencerError } from '../codes.ts';
import { dueRunMs, groupTimeoutRunMs, isUndecided } from '../due.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { currentTry, type Draft } from './draft.ts';
import { onFailure } from './failure.ts';
import { becomeUnknown } from './reports.ts';
import { failGate } from './samples.ts';

/** Everything whose time is over now. Called on every tick; does nothing twice. */
export function onTick(draft: Draft): void {
  for (const ref of indexOf(draft.state.plan).refs) onCellTime(draft, ref);
  for (const node of draft.state.plan.steps) onGroupTime(draft, node);
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
      const waited = formatDuration(draft.now.runMs - (cell.startedRunMs ?? 0));
      failGate(draft, ref, sequencerError('SB-GATE-TIMEOUT', `${at} was not met in ${waited}`).failure);
      return;
    }
    case 'proof': {
      const hosts = [...new Set(cell.work.guards.map((g) => g.host))].join(', ');
      failWait(draft, ref, sequencerError('SB-EXCLUSIVE-NOT-PROVEN', `${at} waits for proof from ${hosts}`).failure);
      return;
    }
    case 'record':
      failWait(draft, ref, sequencerError('SB-RECORD-FAILED', `${at} could not be measured`).failure);
      return;
    case 'round': {
      const missing = cell.work.voters.flatMap(({ host }) => (draft.state.votes.has(host) ? [] : host));
      failWait(
        draft,
        ref,
        sequencerError('SB-GUARD-STALE', `${at}: ${missing.join(', ')} did not vote in time`).failure,
      );
      return;
    }
    case 'approval':
      draft.emit({ type: 'ApprovalVoided', step: ref.leaf.id, reason: 'it was not used while it was valid' });
      return;
    default:
      return;
  }
}

/** Nothing was done to a host: a person may put it right and resume. */
function failWait(draft: Draft, ref: CellRef, failure: Failure): void {
  draft.emit({ type: 'StepFailed', ...currentTry(draft.cell(ref)), failure, unapplied: true });
  onFailure(draft, ref, { failure, wish: 'hold', cause: 'gate' });
}

function onGroupTime(draft: Draft, node: PlanStep): void {
  if (node.kind !== 'group') return;
  for (const child of node.children) onGroupTime(draft, child);
  const passed = passedDeadline(draft, node);
  if (passed === undefined) return;
  const { failure } = sequencerError('SB-DEADLINE', `${node.id}: ${passed}`);
  onDeadline(draft, failure, { wish: node.timing?.onDeadline ?? 'hold', step: node.id });
}

function passedDeadline({ state, now }: Draft, group: GroupStep): string | undefined {
  if (group.timing === undefined || !isUndecided(state, group)) return undefined;
  const { decideByMs, timeoutMs } = group.timing;
  if (decideByMs !== undefined && now.atMs >= decideByMs) {
    return `not decided by ${new Date(decideByMs).toISOString()}`;
  }
  const endsRunMs = groupTimeoutRunMs(state, group);
  if (timeoutMs !== undefined && endsRunMs !== undefined && now.runMs >= endsRunMs) {
    return `not over in ${formatDuration(timeoutMs)}`;
  }
  return undefined;
}

function onBudgets(draft: Draft): void {
  for (const { clock, elapsedMs } of clocksOf(draft.state, draft.now.runMs)) {
    if (clock.budgetMs === undefined || elapsedMs === undefined || elapsedMs < clock.budgetMs) continue;
    if (draft.state.budgets.has(clock.name)) continue;
    draft.emit({ type: 'BudgetPassed', clock: clock.name, budgetMs: clock.budgetMs });
    if (clock.onBudget === 'warn' || draft.state.direction === 'undo') continue;
    const { failure } = sequencerError('SB-DEADLINE', `${clock.name} has been down for ${formatDuration(elapsedMs)}`);
    onDeadline(draft, failure, { wish: clock.onBudget, step: undefined });
  }
}

/**
 * What was decided beforehand happens also while the run is paused or held: that is what the deadline is for. Except
 * where it cannot: behind a point of no return [I3], and while a host contradicts the log.
 */
function onDeadline(
  draft: Draft,
  failure: Failure,
  { wish, step }: { wish: 'hold' | 'rollback'; step: string | undefined },
): void {
  const { crossed, reasons } = draft.state;
  const mayTurn = crossed.length === 0 && !reasons.some((reason) => reason.cause === 'conflict');
  const at = step === undefined ? {} : { step, host: null };
  if (wish === 'rollback' && mayTurn) draft.startUndo(failure, step === undefined ? undefined : { step, host: null });
  else draft.hold({ cause: 'deadline', ...at, failure });
}
