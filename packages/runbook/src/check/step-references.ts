import type { Span } from '../diagnostic.ts';
import type { Step } from '../model.ts';
import { textAt } from '../node.ts';
import type { Ref } from '../references.ts';
import { findStep, forEachOf, idsIn, isBefore, isOnlyUndo, roleName, roleOf } from '../step-queries.ts';
import { hintFor } from '../suggest.ts';
import type { CheckContext } from './context.ts';

interface From {
  step: Step;
  context: CheckContext;
}

/** `${steps.x.receipt.y}`: the step exists, has that value, is done by then, and means one host and one item. */
export function checkStepReference(ref: Extract<Ref, { root: 'steps' }>, at: Span, { step, context }: From): void {
  const { runbook, report } = context;
  const target = findStep(runbook, step.scope, ref.step);
  if (!target) {
    const hint = hintFor(ref.step, idsIn(runbook, step.scope));
    report('SB207', at, { message: `There is no step \`${ref.step}\`.`, hint });
    return;
  }
  if (!checkField(target, ref, { at, context })) return;
  if (!isBefore(target, step) || isOnlyUndo(target)) {
    const why = isOnlyUndo(target) ? 'is passed only on the way back' : 'is not surely done before this step';
    report('SB209', at, { message: `\`${ref.step}\` (line ${target.at.line}) ${why}.` });
    return;
  }
  const means = severalMeant(target, step, context);
  if (means) report('SB208', at, { message: `\`${ref.step}\` ${means}.` });
}

function checkField(
  target: Step,
  { step, from, path }: Extract<Ref, { root: 'steps' }>,
  { at, context: { lookup, report } }: { at: Span; context: CheckContext },
): boolean {
  const fits = from === 'receipt' ? target.kind === 'do' : target.kind === 'gate' || target.kind === 'record';
  if (!fits) {
    const has = target.kind === 'do' ? 'it is an action and has a receipt' : 'only records and gates have values';
    const message = from === 'receipt' ? 'only actions have a receipt' : has;
    report('SB207', at, { message: `\`${step}\` has no ${from}: ${message}.` });
    return false;
  }
  const probe = lookup.probeOf(target);
  const known = from === 'receipt' ? lookup.actionOf(target)?.receipt : probe?.open ? undefined : probe?.values;
  if (!known || Object.hasOwn(known, path[0]) || Object.hasOwn(known, path.join('.'))) return true;
  const message = `The ${from} of \`${step}\` has no \`${path.join('.')}\`.`;
  report('SB207', at, { message, hint: hintFor(path[0], Object.keys(known)) });
  return false;
}

function severalMeant(target: Step, step: Step, { runbook }: CheckContext): string | undefined {
  const loop = forEachOf(target);
  const own = forEachOf(step);
  if (loop && loop !== own) {
    const over = textAt(loop.node, 'forEach', 'in');
    if (!own) return 'is done for several items, and this step is not in such a forEach';
    if (over === undefined || over !== textAt(own.node, 'forEach', 'in'))
      return 'is done for the items of another list';
  }
  const role = roleOf(target, runbook);
  if (!role || role.name === roleName(step) || role.max === 1) return undefined;
  return `runs on all hosts of the role \`${role.name}\`, and this step on others`;
}
