import type { Plan } from '@signalbox/protocol';
import { type MerkleTree, merkleTree } from '@signalbox/protocol/crypto';
import { plannedActions } from '@signalbox/sequencer';

/** What an operator signs of a plan: the texts of its planned actions, by cell, as one tree. */
export interface Signable {
  readonly actions: ReadonlyMap<string, { readonly text: string; readonly index: number }>;
  readonly tree: MerkleTree;
}

const cache = new WeakMap<Plan, Signable>();

export function signableOf(plan: Plan): Signable {
  const known = cache.get(plan);
  if (known) return known;
  const texts = [...plannedActions(plan)];
  const signable = {
    actions: new Map(texts.map(([key, text], index) => [key, { text, index }])),
    tree: merkleTree(texts.map(([, text]) => text)),
  };
  cache.set(plan, signable);
  return signable;
}
