import type { ExclusiveGuard, LeafStep, Plan, PlanStep, Window } from '@signalbox/protocol';
import { type Calendar, calendarOf } from './calendar.ts';

/** Bounds on what the plan says, so that days end: order and faults are simulated, not patience. */
const MOST = { forMs: 10_000, everyMs: 2_000, gateTimeoutMs: 120_000, actionTimeoutMs: 30_000, backoffMs: 2_000 };

/**
 * A plan whose actions and probes the simulated hosts can do and measure: each is told which step it belongs to, each
 * sample what is wanted of it. The parameters that were meant for real hosts stay, and nobody reads them.
 */
export function prepared(plan: Plan): Plan {
  const at = calendarOf(plan);
  const steps = plan.steps.map((step) => prepareStep(step, at));
  return { ...plan, ...(plan.window ? { window: moved(plan.window, at) } : {}), downtime: [], steps };
}

function moved({ notBeforeMs, notAfterMs }: Window, at: Calendar): Window {
  return {
    ...(notBeforeMs === undefined ? {} : { notBeforeMs: at(notBeforeMs) }),
    ...(notAfterMs === undefined ? {} : { notAfterMs: at(notAfterMs) }),
  };
}

function prepareStep(step: PlanStep, at: Calendar): PlanStep {
  if (step.kind !== 'group') return prepareLeaf(step);
  const children = step.children.map((child) => prepareStep(child, at));
  if (step.timing === undefined) return { ...step, children };
  const { notBeforeMs, decideByMs, ...timing } = step.timing;
  return {
    ...step,
    children,
    timing: {
      ...timing,
      ...(notBeforeMs === undefined ? {} : { notBeforeMs: at(notBeforeMs) }),
      ...(decideByMs === undefined ? {} : { decideByMs: at(decideByMs) }),
    },
  };
}

function prepareLeaf(leaf: LeafStep): LeafStep {
  switch (leaf.kind) {
    case 'action':
      return {
        ...leaf,
        timeoutMs: Math.min(leaf.timeoutMs, MOST.actionTimeoutMs),
        retry: { ...leaf.retry, backoffMs: Math.min(leaf.retry.backoffMs, MOST.backoffMs) },
        targets: leaf.targets.map((target) => ({
          ...target,
          with: { ...target.with, id: leaf.id },
          exclusive: target.exclusive.map(prepareGuard),
        })),
      };
    case 'gate':
      return {
        ...leaf,
        forMs: Math.min(leaf.forMs, MOST.forMs),
        everyMs: Math.min(leaf.everyMs, MOST.everyMs),
        timeoutMs: Math.min(leaf.timeoutMs, MOST.gateTimeoutMs),
        targets: leaf.targets.map((target) => {
          const { until, failIf = {} } = target;
          return { ...target, with: { ...target.with, what: leaf.id, until, failIf } };
        }),
      };
    case 'record':
      return {
        ...leaf,
        targets: leaf.targets.map((target) => ({ ...target, with: { ...target.with, what: leaf.id } })),
      };
    default:
      return leaf;
  }
}

function prepareGuard(guard: ExclusiveGuard): ExclusiveGuard {
  return { ...guard, with: { ...guard.with, what: guard.resource, until: guard.until } };
}
