import type { Plan, PlanStep } from '@signalbox/protocol';

/** All steps of a plan, groups before what is in them. */
export function flatten(steps: readonly PlanStep[]): PlanStep[] {
  return steps.flatMap((s) => (s.kind === 'group' ? [s, ...flatten(s.children)] : [s]));
}

export function stepOf<K extends PlanStep['kind']>(plan: Plan | undefined, id: string, kind: K) {
  const found = flatten(plan?.steps ?? []).find((s) => s.id === id);
  if (found?.kind !== kind) throw new Error(`the plan has no ${kind} ${id}`);
  return found as Extract<PlanStep, { kind: K }>;
}
