import type { GroupStep, LeafStep, Plan, PlanStep } from '@signalbox/protocol';
import { cellKey } from './state.ts';

/** One step instance on one host, and its place in the plan. */
export interface CellRef {
  readonly key: string;
  readonly leaf: LeafStep;
  readonly host: string | null;
  /** Plan order: 0, 1, 2, ... */
  readonly position: number;
  /** Groups around it, outermost first. */
  readonly groups: readonly GroupStep[];
}

export interface PlanIndex {
  readonly refs: readonly CellRef[];
  readonly byKey: ReadonlyMap<string, CellRef>;
  readonly byLeaf: ReadonlyMap<LeafStep, readonly CellRef[]>;
  readonly byStep: ReadonlyMap<string, readonly CellRef[]>;
}

const cache = new WeakMap<Plan, PlanIndex>();

export function indexOf(plan: Plan): PlanIndex {
  const known = cache.get(plan);
  if (known) return known;
  const index = buildIndex(plan);
  cache.set(plan, index);
  return index;
}

/** Hosts of a leaf; approvals, manual steps and points of no return have none: `null`. */
export function hostsOf(leaf: LeafStep): readonly (string | null)[] {
  switch (leaf.kind) {
    case 'action':
    case 'gate':
    case 'record':
      return leaf.targets.map((target) => target.host);
    default:
      return [null];
  }
}

/** The id as the runbook has it, without the items of a forEach: `drained[orders]/still` -> `drained/still`. */
export function writtenId(step: string): string {
  return step.replace(/\[[^\]]*\]/g, '');
}

function buildIndex(plan: Plan): PlanIndex {
  const refs: CellRef[] = [];
  const visit = (node: PlanStep, groups: readonly GroupStep[]): void => {
    if (node.kind === 'group') {
      for (const child of node.children) visit(child, [...groups, node]);
      return;
    }
    for (const host of hostsOf(node)) {
      refs.push({ key: cellKey(node.id, host), leaf: node, host, position: refs.length, groups });
    }
  };
  for (const step of plan.steps) visit(step, []);
  return {
    refs,
    byKey: new Map(refs.map((ref) => [ref.key, ref])),
    byLeaf: groupBy(refs, (ref) => ref.leaf),
    byStep: groupBy(refs, (ref) => ref.leaf.id),
  };
}

function groupBy<K>(refs: readonly CellRef[], keyOf: (ref: CellRef) => K): Map<K, CellRef[]> {
  const groups = new Map<K, CellRef[]>();
  for (const ref of refs) {
    const group = groups.get(keyOf(ref));
    if (group) group.push(ref);
    else groups.set(keyOf(ref), [ref]);
  }
  return groups;
}
