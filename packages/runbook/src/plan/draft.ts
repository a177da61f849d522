import type { Json, Timing } from '@signalbox/protocol';
import type { Scope, Step } from '../model.ts';

/** What `${...}` means at one place of the expanded runbook. */
export interface Around {
  /** Parameters by scope: the runbook's, and one more for every inclusion that is being expanded. */
  params: ReadonlyMap<Scope, ReadonlyMap<string, Json>>;
  item?: { key: string; value: Json };
  /** `[crud]`, `[batch=2]`: what tells this instance from the others of the same written step. */
  suffix: string;
  /** The hosts of a role inside a batch. */
  share?: { role: string; hosts: readonly string[] };
  /** Why everything here is skipped. */
  skip?: string;
}

/** The runbook with its forEach, batches and inclusions unrolled; values are still text. */
export type Draft = DraftLeaf | DraftGroup;
interface DraftBase {
  id: string;
  step: Step;
  around: Around;
}
export interface DraftLeaf extends DraftBase {
  kind: 'leaf';
  hosts: readonly string[];
}
export interface DraftGroup extends DraftBase {
  kind: 'group';
  mode: 'serial' | 'parallel' | 'batches';
  limit?: number;
  maxFailures?: number;
  timing?: Timing;
  forEach?: boolean;
  checklist?: boolean;
  children: Draft[];
}

export function leavesOfDraft(draft: Draft): DraftLeaf[] {
  return draft.kind === 'leaf' ? [draft] : draft.children.flatMap(leavesOfDraft);
}

/** All instances of each written step, groups before what is in them, in plan order. */
export function instancesByStep(drafts: readonly Draft[]): Map<Step, Draft[]> {
  const index = new Map<Step, Draft[]>();
  const visit = (draft: Draft): void => {
    index.set(draft.step, [...(index.get(draft.step) ?? []), draft]);
    if (draft.kind === 'group') for (const child of draft.children) visit(child);
  };
  for (const draft of drafts) visit(draft);
  return index;
}
