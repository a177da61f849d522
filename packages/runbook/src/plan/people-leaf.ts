import type { ApprovalRule } from '@signalbox/protocol';
import { get, isFlagged, type Node, textAt } from '../node.ts';
import { isInChecklist, lastPointOfNoReturn } from '../step-queries.ts';
import type { BindContext } from './bind.ts';
import { durationMs, opt, text } from './fields.ts';
import { named, type One } from './one.ts';
import { gatesNamed } from './pin.ts';

// Steps in which people decide or do something: approvals, manual steps, points of no return.

export function approval(node: Node | undefined, bound: BindContext): ApprovalRule {
  return {
    count: Number(textAt(node, 'count') ?? 1),
    ...opt('role', textAt(node, 'role')),
    notSubmitter: isFlagged(get(node, 'notSubmitter')),
    ...opt('validForMs', durationMs(get(node, 'validFor'), bound)),
    ...opt('message', text(get(node, 'message'), bound)),
  };
}

export function manual({ leaf, bound, context }: One) {
  const node = get(leaf.step.node, 'manual');
  const last = lastPointOfNoReturn(context.instances.runbook);
  const sealed = last !== undefined && leaf.step.order > last.order;
  const undo = text(get(node, 'undo'), bound);
  return {
    do: text(get(node, 'do'), bound) ?? '',
    ...(sealed ? {} : opt('undo', undo)),
    ...opt('expectMs', durationMs(get(node, 'expect'), bound)),
    // Who ticks off an item has nothing to take back; with an `undo` it is said that there is something.
    ...(undo === undefined && isInChecklist(leaf.step) ? { changes: false as const } : {}),
  };
}

export function crossing({ leaf, bound, context }: One) {
  const node = get(leaf.step.node, 'pointOfNoReturn');
  const approve = get(node, 'approve');
  const guards = named(get(node, 'guards')).flatMap((id) => gatesNamed(id, leaf, context.instances));
  return {
    statement: text(get(node, 'statement'), bound) ?? '',
    guards: [...new Set(guards)],
    ...(approve ? { approve: approval(approve, bound) } : {}),
  };
}
