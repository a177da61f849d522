import { DEFAULTS, type GroupStep, type PlanStep } from '@signalbox/protocol';
import { approvalRule } from './agreed.ts';
import { isInFlight } from './cell.ts';
import { clocksOf } from './clocks.ts';
import { isMoving, type RunState } from './state.ts';
import { type CellRef, indexOf, refsIn } from './tree.ts';
import { cellOf, isDone } from './walk.ts';

/** Wakes the leader when something may be due: in run time, or on the wall clock. It may be past, and is due at once then. */
export interface TimerEffect {
  readonly type: 'timer';
  readonly runMs?: number;
  readonly atMs?: number;
}

/**
 * Only what the next tick changes something about: a tick that changed nothing would be asked for again at once, and for
 * ever. What merely waits for its time (a retry, a window, a group) every decision looks at, so once that time is over no
 * timer is of use to it; `atMs` and `runMs` of the state are those of the last decision.
 */
export function timers(state: RunState): TimerEffect[] {
  const cells = indexOf(state.plan).refs.flatMap((ref) => {
    const { notBeforeRunMs = 0 } = cellOf(state, ref);
    const due = [dueRunMs(state, ref), notBeforeRunMs > state.runMs ? notBeforeRunMs : undefined];
    return due.flatMap((runMs): TimerEffect[] => (runMs === undefined ? [] : [{ type: 'timer', runMs }]));
  });
  const clocks = clocksOf(state, state.runMs).flatMap(({ clock, elapsedMs, running }): TimerEffect[] =>
    running && clock.budgetMs !== undefined && elapsedMs !== undefined && !state.budgets.has(clock.name)
      ? [{ type: 'timer', runMs: state.runMs + Math.max(0, clock.budgetMs - elapsedMs) }]
      : [],
  );
  return [...cells, ...clocks, ...windowTimers(state), ...groupTimers(state, state.plan.steps)];
}

function windowTimers({ plan, atMs, direction, overtime }: RunState): TimerEffect[] {
  if (!plan.window || direction === 'undo') return [];
  const ends = [plan.window.notBeforeMs, overtime ? undefined : plan.window.notAfterMs];
  return ends.flatMap((dueMs) => (dueMs === undefined || dueMs <= atMs ? [] : { type: 'timer', atMs: dueMs }));
}

function groupTimers(state: RunState, nodes: readonly PlanStep[]): TimerEffect[] {
  return nodes.flatMap((node): TimerEffect[] => {
    if (node.kind !== 'group') return [];
    const { notBeforeMs = 0, decideByMs } = node.timing ?? {};
    const opens: TimerEffect[] = notBeforeMs > state.atMs ? [{ type: 'timer', atMs: notBeforeMs }] : [];
    return [...opens, ...deadlineTimers(state, node, decideByMs), ...groupTimers(state, node.children)];
  });
}

function deadlineTimers(state: RunState, group: GroupStep, decideByMs: number | undefined): TimerEffect[] {
  if (group.timing === undefined || !isUndecided(state, group)) return [];
  const timeoutRunMs = groupTimeoutRunMs(state, group);
  return [
    ...(decideByMs === undefined ? [] : [{ type: 'timer' as const, atMs: decideByMs }]),
    ...(timeoutRunMs === undefined ? [] : [{ type: 'timer' as const, runMs: timeoutRunMs }]),
  ];
}

/** Its deadline means something still. Decided is a group that is over, or whose point of no return has been crossed. */
export function isUndecided(state: RunState, group: GroupStep): boolean {
  if (state.direction === 'undo' || state.deadlines.has(group.id) || isDone(state, group)) return false;
  return !refsIn(state.plan, group).some((ref) => state.crossed.includes(ref.leaf.id));
}

/** When the time of a group that has begun is over. */
export function groupTimeoutRunMs(state: RunState, group: GroupStep): number | undefined {
  const timeoutMs = group.timing?.timeoutMs;
  if (timeoutMs === undefined) return undefined;
  const started = refsIn(state.plan, group).flatMap((ref) => cellOf(state, ref).startedRunMs ?? []);
  return started.length === 0 ? undefined : Math.min(...started) + timeoutMs;
}

/** When, in run time, a cell's patience ends. While the run is held or paused, only commands' clocks matter. */
export function dueRunMs(state: RunState, ref: CellRef): number | undefined {
  const cell = cellOf(state, ref);
  const { work, startedRunMs, workSinceRunMs } = cell;
  if (!work || startedRunMs === undefined || workSinceRunMs === undefined) return undefined;
  if (work.kind === 'command') {
    if (!isInFlight(cell)) return undefined;
    return workSinceRunMs + DEFAULTS.commandTtlMs + work.timeoutMs + DEFAULTS.silenceSlackMs;
  }
  if (!isMoving(state) || (cell.phase !== 'gated' && cell.phase !== 'compensating')) return undefined;
  switch (work.kind) {
    case 'gate': {
      const adjustedMs = state.adjustments.get(cell.step)?.timeoutMs;
      return adjustedMs === undefined ? work.deadlineRunMs : startedRunMs + adjustedMs;
    }
    case 'approval':
      return approvalEndsRunMs(state, ref);
    case 'manual':
      return undefined;
    default:
      return work.deadlineRunMs;
  }
}

/** When the oldest approval that was given, and has not been used, is valid no longer. */
export function approvalEndsRunMs(state: RunState, ref: CellRef): number | undefined {
  const rule = approvalRule(ref.leaf);
  const oldest = cellOf(state, ref).approvals[0];
  return rule?.validForMs === undefined || oldest === undefined ? undefined : oldest.runMs + rule.validForMs;
}
