import {
  type GroupStep,
  type JsonObject,
  type LeafStep,
  type Plan,
  type PlanStep,
  referencesIn,
} from '@signalbox/protocol';
import { cellKey } from './cell.ts';

/** One step instance on one host, and its place in the plan. */
export interface CellRef {
  readonly key: string;
  readonly leaf: LeafStep;
  readonly host: string | null;
  /** Plan order: 0, 1, 2, ... */
  readonly position: number;
  /** Groups around it, outermost first. */
  readonly groups: readonly GroupStep[];
  /** Passed only on the way back: it, or a group around it, says `only: undo`. */
  readonly onlyUndo: boolean;
  /** Resolved away when the plan was made: never passed. */
  readonly left: boolean;
}

export interface PlanIndex {
  readonly refs: readonly CellRef[];
  readonly byKey: ReadonlyMap<string, CellRef>;
  readonly byLeaf: ReadonlyMap<LeafStep, readonly CellRef[]>;
  readonly byStep: ReadonlyMap<string, readonly CellRef[]>;
  /** Those that an action takes values from: what their hosts said of them is kept as it was signed. */
  readonly sources: ReadonlySet<string>;
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

/** The id as people say it: which share of a batch it was follows from the host. */
export function spokenId(step: string): string {
  return step.replace(/\[batch=\d+\]/g, '');
}

/** All step instances inside a node, in plan order. */
export function refsIn(plan: Plan, node: PlanStep): readonly CellRef[] {
  if (node.kind !== 'group') return indexOf(plan).byLeaf.get(node) ?? [];
  return node.children.flatMap((child) => refsIn(plan, child));
}

/** The step instances that an id means: a step's own, or everything inside the group of that name. */
export function refsNamed(plan: Plan, id: string): readonly CellRef[] {
  const { refs, byStep } = indexOf(plan);
  return byStep.get(id) ?? refs.filter((ref) => ref.groups.some((group) => group.id === id));
}

/** True when both stand in different branches of a parallel group: neither is before the other. */
export function inOtherBranch(a: CellRef, b: CellRef): boolean {
  const depth = a.groups.findIndex((group, i) => b.groups[i] !== group);
  const common = a.groups[(depth < 0 ? Math.min(a.groups.length, b.groups.length) : depth) - 1];
  return common?.mode === 'parallel';
}

function buildIndex(plan: Plan): PlanIndex {
  const refs: CellRef[] = [];
  const visit = (node: PlanStep, groups: readonly GroupStep[]): void => {
    if (node.kind === 'group') {
      for (const child of node.children) visit(child, [...groups, node]);
      return;
    }
    const path = [...groups, node];
    const onlyUndo = path.some((part) => part.only === 'undo');
    const left = path.some((part) => part.skip !== undefined);
    for (const host of hostsOf(node)) {
      refs.push({ key: cellKey(node.id, host), leaf: node, host, position: refs.length, groups, onlyUndo, left });
    }
  };
  for (const step of plan.steps) visit(step, []);
  const byKey = new Map(refs.map((ref) => [ref.key, ref]));
  const actions = refs.filter(({ leaf }) => leaf.kind === 'action');
  return {
    refs,
    byKey,
    byLeaf: groupBy(refs, (ref) => ref.leaf),
    byStep: groupBy(refs, (ref) => ref.leaf.id),
    sources: new Set(actions.flatMap((ref) => [...reach(byKey, inputOf(ref))])),
  };
}

/** Cells that an input takes values from, and those that the samples among them take values from in turn. */
export function sourcesOf(plan: Plan, input: JsonObject): ReadonlySet<string> {
  return reach(indexOf(plan).byKey, input);
}

/** What a step asks of its host, as the plan has it. */
export function inputOf({ leaf, host }: CellRef): JsonObject {
  return ('targets' in leaf ? leaf.targets.find((target) => target.host === host)?.with : undefined) ?? {};
}

function reach(byKey: PlanIndex['byKey'], input: JsonObject, seen = new Set<string>()): Set<string> {
  for (const { step, host } of referencesIn(input)) {
    const key = cellKey(step, host);
    const ref = byKey.get(key);
    if (!ref || seen.has(key)) continue;
    seen.add(key);
    if (ref.leaf.kind !== 'action') reach(byKey, inputOf(ref), seen);
  }
  return seen;
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
