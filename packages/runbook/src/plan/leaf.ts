import type { LeafStep } from '@signalbox/protocol';
import { get } from '../node.ts';
import { isOnlyUndo } from '../step-queries.ts';
import { actionLeaf } from './action-leaf.ts';
import type { DraftLeaf } from './draft.ts';
import { opt } from './fields.ts';
import { gateLeaf, recordLeaf } from './gate-leaf.ts';
import type { LeafContext, One } from './one.ts';
import { approval, crossing, manual } from './people-leaf.ts';
import { hostsWanted } from './when.ts';

/** One instance of a written step with every value resolved for its hosts. */
export function resolveLeaf(leaf: DraftLeaf, context: LeafContext): LeafStep[] {
  const { step, around } = leaf;
  const hosts = leaf.hosts.flatMap((name) => context.hosts.get(name) ?? []);
  const wanted = around.skip === undefined ? hostsWanted(step, around, hosts) : [];
  const skip = around.skip ?? (hosts.length > 0 && wanted.length === 0 ? 'when: no host' : undefined);
  const base = {
    id: leaf.id,
    number: context.numberOf(leaf),
    line: step.at.line,
    ...(isOnlyUndo(step) ? { only: 'undo' as const } : {}),
    ...opt('skip', skip),
  };
  const one: One = { leaf, base, hosts: wanted, bound: { scope: step.scope, around, report: context.report }, context };
  switch (step.kind) {
    case 'do':
      return actionLeaf(one);
    case 'gate':
      return gateLeaf(one);
    case 'record':
      return recordLeaf(one);
    case 'approve':
      return [{ ...base, kind: 'approval', approve: approval(get(step.node, 'approve'), one.bound) }];
    case 'manual':
      return [{ ...base, kind: 'manual', ...manual(one) }];
    case 'pointOfNoReturn':
      return [{ ...base, kind: 'pointOfNoReturn', ...crossing(one) }];
    default:
      return [];
  }
}
