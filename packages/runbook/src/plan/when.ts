import { type Condition, holds, type Json, type JsonObject, OPERATORS } from '@signalbox/protocol';
import type { Report } from '../diagnostic.ts';
import type { Step } from '../model.ts';
import { entriesOf, get, toJson } from '../node.ts';
import { withAncestors } from '../step-queries.ts';
import { bind } from './bind.ts';
import type { Around } from './draft.ts';
import { silent, text } from './fields.ts';
import type { HostForPlan } from './input.ts';

/** Decides `when` once; a step that is not to be done stays in the plan with the reason, so that nobody wonders. */
export function decideWhen(step: Step, around: Around, report: Report): Around {
  const when = get(step.node, 'when');
  if (!when || around.skip !== undefined || asksHost(step) || needsItem(step, around)) return around;
  const context = { scope: step.scope, around, report };
  if (when.kind === 'scalar') {
    const value = text(when, context);
    if (value !== 'true' && value !== 'false') {
      report('SB205', when.at, { message: `\`when\` is \`${value ?? ''}\`; expected true or false.` });
    }
    return value === 'true' ? around : { ...around, skip: `when: ${when.text}` };
  }
  return conditionHolds(step, around, {}) ? around : { ...around, skip: 'when' };
}

/** Which of a step's hosts its `when`, and those of the groups around it, are about. */
export function hostsWanted(step: Step, around: Around, hosts: readonly HostForPlan[]): readonly HostForPlan[] {
  const asking = withAncestors(step).filter(asksHost);
  return hosts.filter(({ name, labels, facts }) => {
    const host = { name, labels: { ...labels }, facts: { ...facts } };
    return asking.every((asker) => conditionHolds(asker, around, host));
  });
}

function asksHost(step: Step): boolean {
  return entriesOf(get(step.node, 'when')).some(([name]) => name.startsWith('host.'));
}

/** A `when` about the item is decided for each item, not for the forEach. */
function needsItem(step: Step, around: Around): boolean {
  const when = get(step.node, 'when');
  const about =
    when?.kind === 'scalar' ? when.text.includes('${item') : entriesOf(when).some(([n]) => n.startsWith('item.'));
  return about && around.item === undefined;
}

function conditionHolds(step: Step, around: Around, host: JsonObject): boolean {
  const params = Object.fromEntries(around.params.get(step.scope) ?? []);
  const item: Json = around.item?.value ?? null;
  const condition: Condition = {};
  const context = silent({ scope: step.scope, around, report: () => {} });
  for (const [name, { value }] of entriesOf(get(step.node, 'when'))) {
    const operators: Condition[string] = {};
    for (const [op, operand] of entriesOf(value)) {
      const known = OPERATORS.find((o) => o === op);
      if (known) operators[known] = toJson(bind(operand.value, context));
    }
    condition[name] = operators;
  }
  return holds(condition, [{ atMs: 0, values: { params, item, host } }]);
}
