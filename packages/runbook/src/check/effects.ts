import { effectOf, hasUndo } from '../lookup.ts';
import type { Step } from '../model.ts';
import { get, keyAt, textAt, valueSpan } from '../node.ts';
import { allLeaves, gateBody, isOnlyUndo, lastPointOfNoReturn, mayBeSkipped } from '../step-queries.ts';
import type { CheckContext } from './context.ts';

/** What changes something can be taken back, or stands where a person or a gate has decided that it may not be. */
export function checkEffects(context: CheckContext): void {
  const leaves = allLeaves(context.runbook);
  const last = lastPointOfNoReturn(context.runbook);
  for (const [index, step] of leaves.entries()) {
    const sealed = last !== undefined && step.order > last.order;
    const before = leaves.slice(0, index);
    if (sealed) refusePromise(step, last, context);
    else if (isOnlyUndo(step)) checkOnlyUndo(step, before, context);
    if (step.kind === 'do') checkMutation(step, { before, last: sealed ? undefined : last, context });
  }
}

function refusePromise(step: Step, last: Step, { report, lookup }: CheckContext): void {
  const declaresEffect = lookup.actionOf(step)?.effect === 'declared';
  const after = `\`${step.path}\` comes after the point of no return \`${last.path}\` (line ${last.at.line})`;
  if (isOnlyUndo(step)) {
    report('SB304', keyAt(step.node, 'only'), { message: `${after}: there is no way back from here.` });
  }
  for (const node of [get(step.node, 'manual'), get(step.node, 'with')]) {
    if (node?.kind !== 'map' || !node.entries.has('undo') || (step.kind !== 'manual' && !declaresEffect)) continue;
    report('SB304', keyAt(node, 'undo'), { message: `${after}: this will never be asked for.` });
  }
  if (step.kind !== 'gate') return;
  for (const [key, node] of [
    ['onTimeout', gateBody(step)],
    ['onBreak', step.node],
  ] as const) {
    if (textAt(node, key) !== 'rollback') continue;
    report('SB304', valueSpan(node, key), { message: `${after}: it can be held, not taken back.` });
  }
}

/** A gate may stand before everything: it is passed when all has been taken back, and proves that what was before works. */
function checkOnlyUndo(step: Step, before: readonly Step[], { lookup, report }: CheckContext): void {
  if (step.kind === 'gate') return;
  const undone = before.some((s) => {
    const action = lookup.actionOf(s);
    return s.kind === 'manual' || (s.kind === 'do' && (!action || effectOf(s, action) !== 'read'));
  });
  if (!undone)
    report('SB318', keyAt(step.node, 'only'), { message: `Nothing before \`${step.path}\` would be undone.` });
}

interface Around {
  before: readonly Step[];
  /** The last point of no return, when the step stands before it. */
  last: Step | undefined;
  context: CheckContext;
}

function checkMutation(step: Step, { before, last, context: { lookup, report } }: Around): void {
  const action = lookup.actionOf(step);
  const effect = action && effectOf(step, action);
  if (!action || !effect || effect === 'read') return;
  const at = valueSpan(step.node, 'do');
  // Between two points of no return the way back ends at what cannot be taken back: the run is held, as after the last.
  const crossed = before.some(({ kind }) => kind === 'pointOfNoReturn');
  if (last && !hasUndo(step, action) && !(crossed && effect === 'irreversible')) {
    const message = `\`${action.name}\` is ${effect} and cannot be taken back, and the point of no return is only in line ${last.at.line}.`;
    report('SB303', at, { message });
  }
  if (effect !== 'irreversible') return;
  const decided = before.some(
    (s) => ['gate', 'approve', 'pointOfNoReturn'].includes(s.kind) && !isOnlyUndo(s) && !mayBeSkipped(s),
  );
  if (!decided)
    report('SB305', at, { message: `\`${step.path}\` cannot be taken back, and nothing decides that it may begin.` });
}
