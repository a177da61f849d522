import { effectOf, hasUndo, templateOf } from '../lookup.ts';
import type { Step } from '../model.ts';
import { valueSpan } from '../node.ts';
import { allLeaves, concurrent, isOnlyUndo, isParallel, roleName, withAncestors } from '../step-queries.ts';
import type { CheckContext } from './context.ts';

/** The order of the file is the order of the run, and its reverse the order of the way back: both must be safe. */
export function checkOrder(context: CheckContext): void {
  const leaves = allLeaves(context.runbook);
  for (const [index, step] of leaves.entries()) {
    if (step.kind === 'pointOfNoReturn') checkPlace(step, context);
    if (step.kind !== 'do') continue;
    for (const later of leaves.slice(index + 1)) checkPair(step, later, { leaves, context });
  }
}

function checkPlace(step: Step, { report }: CheckContext): void {
  const around = withAncestors(step).find((s) => s !== step && (isParallel(s) || s.node.entries.has('batch')));
  if (!around) return;
  const how = around.node.entries.has('batch') ? 'in batches' : 'in parallel';
  const message = `\`${step.path}\` stands in \`${around.path}\` (line ${around.at.line}), which goes ${how}.`;
  report('SB314', valueSpan(step.node, 'id'), { message });
}

function checkPair(
  step: Step,
  later: Step,
  { leaves, context }: { leaves: readonly Step[]; context: CheckContext },
): void {
  if (later.kind !== 'do' || roleName(step) !== roleName(later)) return;
  const shared = touches(step, context).filter((t) => touches(later, context).includes(t));
  if (concurrent(step, later) && shared.length > 0 && (mutates(step, context) || mutates(later, context))) {
    const message = `\`${step.path}\` (line ${step.at.line}) and \`${later.path}\` both touch ${shared[0]}, at the same time.`;
    context.report('SB312', valueSpan(later.node, 'do'), { message });
  }
  checkFreed(step, later, { leaves, context });
}

/** A change to a unit, then a stop of it: undone in reverse, the unit runs before the change is back. */
function checkFreed(
  step: Step,
  later: Step,
  { leaves, context }: { leaves: readonly Step[]; context: CheckContext },
): void {
  const { lookup, report } = context;
  const unit = templateOf(lookup.actionOf(later)?.stops, later);
  const action = lookup.actionOf(step);
  if (!unit || !action || isOnlyUndo(later) || action.starts || action.stops || !hasUndo(step, action)) return;
  if (!touches(step, context).includes(`unit:${unit}`)) return;
  const down = leaves.some(
    (s) => s.order < step.order && roleName(s) === roleName(step) && templateOf(lookup.actionOf(s)?.stops, s) === unit,
  );
  if (down) return;
  const message = `\`${step.path}\` changes ${unit} before \`${later.path}\` (line ${later.at.line}) stops it: undone, the unit runs again before the change is taken back.`;
  report('SB313', valueSpan(step.node, 'do'), { message });
}

function mutates(step: Step, { lookup }: CheckContext): boolean {
  const action = lookup.actionOf(step);
  return action !== undefined && effectOf(step, action) !== 'read';
}

/** Resources as far as the text tells them; two references that are written alike are taken to be the same. */
function touches(step: Step, { lookup }: CheckContext): string[] {
  return (lookup.actionOf(step)?.touches ?? []).flatMap((template) => templateOf(template, step) ?? []);
}
