import type { ActionTarget, LeafStep, Plan, PlanStep } from '@signalbox/protocol';

/** What stands for something on the host that it is on; everything else is the same thing from wherever it is reached. */
const OF_HOST: ReadonlySet<string> = new Set(['unit', 'path']);

/**
 * What a run of this plan has for itself as long as it is open: each thing that an action of it touches, and each exclusive
 * unit on every host that could have it [I10]. `node-1 unit:r3mes.service`, `deployment:svc`.
 */
export function resourcesOf(plan: Plan): string[] {
  return [...new Set(plan.steps.flatMap(leavesOf).flatMap(ofLeaf))].sort();
}

function ofLeaf(leaf: LeafStep): string[] {
  if (leaf.kind !== 'action' || leaf.effect === 'read') return [];
  return leaf.targets.flatMap((target) => [
    ...target.touches.map((id) => placed(target.host, id)),
    ...ofExclusive(target),
  ]);
}

function ofExclusive({ exclusive }: ActionTarget): string[] {
  return exclusive.flatMap(({ hosts, with: { unit } }) =>
    typeof unit === 'string' ? hosts.map((host) => placed(host, `unit:${unit}`)) : [],
  );
}

function placed(host: string, id: string): string {
  return OF_HOST.has(id.slice(0, Math.max(0, id.indexOf(':')))) ? `${host} ${id}` : id;
}

function leavesOf(step: PlanStep): LeafStep[] {
  if (step.skip !== undefined) return [];
  return step.kind === 'group' ? step.children.flatMap(leavesOf) : [step];
}
