import type { ExclusiveGuard, LeafStep, Plan, PlanStep, Timing, Window } from '@signalbox/protocol';
import { BEGIN_MS } from '../machine.ts';

/** Bounds on what the plan says, so that days end: order and faults are simulated, not patience. */
const MOST = { forMs: 10_000, everyMs: 2_000, gateTimeoutMs: 120_000, actionTimeoutMs: 30_000, backoffMs: 2_000 };

/** How long a run waits for its window: long enough to be seen waiting. */
const BEFORE_WINDOW_MS = 20_000;

/**
 * A plan whose actions and probes the simulated hosts can do and measure: each is told which step it belongs to, each
 * sample what is wanted of it. The parameters that were meant for real hosts stay, and nobody reads them.
 */
export function prepared(plan: Plan): Plan {
  const shiftMs = BEGIN_MS - firstMs(plan);
  const steps = plan.steps.map((step) => prepareStep(step, shiftMs));
  return { ...plan, ...(plan.window ? { window: shifted(plan.window, shiftMs) } : {}), downtime: [], steps };
}

/** What the calendar of the simulation begins with: the first window, or the making of the plan. */
function firstMs({ steps, window, madeAtMs }: Plan): number {
  const starts = [window ?? {}, ...steps.flatMap(timingsOf)].flatMap(({ notBeforeMs }) => notBeforeMs ?? []);
  return starts.length === 0 ? madeAtMs : Math.min(...starts) - BEFORE_WINDOW_MS;
}

function shifted({ notBeforeMs, notAfterMs }: Window, shiftMs: number): Window {
  return {
    ...(notBeforeMs === undefined ? {} : { notBeforeMs: notBeforeMs + shiftMs }),
    ...(notAfterMs === undefined ? {} : { notAfterMs: notAfterMs + shiftMs }),
  };
}

function timingsOf(step: PlanStep): Timing[] {
  if (step.kind !== 'group') return [];
  return [...(step.timing ? [step.timing] : []), ...step.children.flatMap(timingsOf)];
}

function prepareStep(step: PlanStep, shiftMs: number): PlanStep {
  if (step.kind !== 'group') return prepareLeaf(step);
  const children = step.children.map((child) => prepareStep(child, shiftMs));
  if (step.timing === undefined) return { ...step, children };
  const { notBeforeMs, decideByMs, ...timing } = step.timing;
  return {
    ...step,
    children,
    timing: {
      ...timing,
      ...(notBeforeMs === undefined ? {} : { notBeforeMs: notBeforeMs + shiftMs }),
      ...(decideByMs === undefined ? {} : { decideByMs: decideByMs + shiftMs }),
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
