import type { ApprovalRule, LeafStep, NeededApproval, Plan, SignedApproval } from '@signalbox/protocol';
import type { RunState } from './state.ts';
import { type CellRef, indexOf, inOtherBranch } from './tree.ts';
import { cellOf } from './walk.ts';

const cache = new WeakMap<Plan, ReadonlyMap<string, readonly CellRef[]>>();

/** What people are asked there before the run goes on. */
export function approvalRule(leaf: LeafStep): ApprovalRule | undefined {
  return leaf.kind === 'approval' || leaf.kind === 'pointOfNoReturn' ? leaf.approve : undefined;
}

/**
 * The approvals that are behind the run when an action begins, in plan order: all that stand before it, and not beside it.
 */
export function approvalsBefore(plan: Plan, action: CellRef): readonly CellRef[] {
  const known = cache.get(plan) ?? buildApprovals(plan);
  cache.set(plan, known);
  return known.get(action.key) ?? [];
}

function buildApprovals(plan: Plan): ReadonlyMap<string, readonly CellRef[]> {
  const { refs } = indexOf(plan);
  const asked = refs.filter(({ leaf, left, onlyUndo }) => approvalRule(leaf) && !left && !onlyUndo);
  const before = (action: CellRef) =>
    asked.filter((ref) => ref.position < action.position && !inOtherBranch(ref, action));
  return new Map(refs.flatMap((ref) => (ref.leaf.kind === 'action' ? [[ref.key, before(ref)] as const] : [])));
}

/** The same as whoever signs the plan signs it, and as hosts see to it. */
export function neededApprovals(plan: Plan, action: CellRef): NeededApproval[] {
  return approvalsBefore(plan, action).flatMap(({ leaf }) => {
    const rule = approvalRule(leaf);
    if (rule === undefined) return [];
    const { count, role, notSubmitter, validForMs } = rule;
    return {
      step: leaf.id,
      count,
      ...(role === undefined ? {} : { role }),
      notSubmitter,
      ...(validForMs === undefined ? {} : { validForMs }),
    };
  });
}

/** What people have signed of them. */
export function signedApprovals(state: RunState, action: CellRef): SignedApproval[] {
  return approvalsBefore(state.plan, action).flatMap((ref) =>
    cellOf(state, ref).approvals.flatMap(({ signed }) => signed ?? []),
  );
}
