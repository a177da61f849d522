import { hasUndo, templateOf } from '../lookup.ts';
import type { Exclusive, Step } from '../model.ts';
import { valueSpan } from '../node.ts';
import { allLeaves, concurrent, roleName, roleOf } from '../step-queries.ts';
import type { CheckContext } from './context.ts';

/** [I10] What is exclusive comes up on one host, after it went down on the other; the same holds for the way back. */
export function checkExclusive(context: CheckContext): void {
  for (const resource of context.runbook.exclusive) {
    const leaves = allLeaves(context.runbook);
    const starts = leaves.filter((s) => templateOf(context.lookup.actionOf(s)?.starts, s) === resource.unit);
    const stops = leaves.filter((s) => templateOf(context.lookup.actionOf(s)?.stops, s) === resource.unit);
    for (const step of starts) oneHost(step, resource, { back: false, context });
    for (const step of stops) oneHost(step, resource, { back: true, context });
    for (const start of starts) for (const stop of stops) inTurn(start, stop, { resource, context });
  }
}

function oneHost(
  step: Step,
  { name, unit }: Exclusive,
  { back, context }: { back: boolean; context: CheckContext },
): void {
  const action = context.lookup.actionOf(step);
  const role = roleOf(step, context.runbook);
  if (!role || role.max === 1 || !action || (back && !hasUndo(step, action))) return;
  const how = back ? `Taking \`${step.path}\` back` : `\`${step.path}\``;
  const message = `${how} starts ${unit} on every host of \`${role.name}\`, and \`${name}\` is exclusive.`;
  context.report('SB310', valueSpan(step.node, 'do'), { message });
}

function inTurn(start: Step, stop: Step, { resource, context }: { resource: Exclusive; context: CheckContext }): void {
  if (roleName(start) === roleName(stop)) return;
  const [here, there] = [`\`${start.path}\``, `\`${stop.path}\` (line ${stop.at.line})`];
  const at = valueSpan(start.node, 'do');
  if (concurrent(start, stop)) {
    const message = `${here} starts ${resource.unit} while ${there} is still stopping it.`;
    context.report('SB311', at, { message });
  } else if (start.order < stop.order) {
    const message = `${here} starts ${resource.unit} before ${there} stops it; undone, it would be started there first.`;
    context.report('SB311', at, { message });
  }
}
