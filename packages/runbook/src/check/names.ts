import type { ActionSpec, ProbeSpec } from '@signalbox/protocol';
import type { Span } from '../diagnostic.ts';
import { effectOf } from '../lookup.ts';
import type { Step } from '../model.ts';
import { entriesOf, get, type MapNode, type Node, textAt, toJson, valueSpan } from '../node.ts';
import { gateBody, probeOf } from '../step-queries.ts';
import { hintFor } from '../suggest.ts';
import { hasPassword } from '../types.ts';
import { readCondition, readWith } from '../values.ts';
import type { CheckContext } from './context.ts';

/** Actions, probes and named gates exist; their parameters and conditions fit what the catalogue says. */
export function checkNames(context: CheckContext): void {
  for (const step of context.runbook.byPath.values()) {
    if (step.kind === 'do') checkAction(step, context);
    if (step.kind === 'gate' || step.kind === 'record') checkProbe(step, context);
    if (step.kind === 'include') checkArguments(step, context);
    refuseLiteralPasswords(step.node, context);
  }
  for (const gate of context.runbook.scope.gates.values()) refuseLiteralPasswords(gate, context);
  for (const { still } of context.runbook.exclusive) {
    if (still && !context.lookup.probes.has(still.probe)) unknownProbe(still.probe, still.at, context);
  }
}

function withOf(node: MapNode, at: Span): MapNode {
  const given = get(node, 'with');
  return given?.kind === 'map' ? given : { kind: 'map', at, entries: new Map() };
}

function checkAction(step: Step, { lookup, report }: CheckContext): void {
  const name = textAt(step.node, 'do') ?? '';
  const at = valueSpan(step.node, 'do');
  const action = lookup.actions.get(name);
  if (name.includes('${')) report('SB206', at, { message: 'An action is written out; no reference may stand here.' });
  else if (!action) {
    report('SB201', at, { message: `There is no action \`${name}\`.`, hint: hintFor(name, lookup.actions.keys()) });
  }
  if (!action) return;
  readWith(withOf(step.node, at), action, { report, references: true });
  if (action.effect === 'declared') checkDeclared(step, action, { report, at });
}

function checkDeclared(
  step: Step,
  action: ActionSpec,
  { report, at }: Pick<CheckContext, 'report'> & { at: Span },
): void {
  const effect = effectOf(step, action);
  const said = get(step.node, 'with', 'effect');
  if (!effect) {
    const required = Array.isArray(action.input.required) && action.input.required.includes('effect');
    if (!said && !required) report('SB217', at, { message: `\`${step.path}\` does not state its effect.` });
    if (said?.kind === 'scalar' && said.text.includes('${')) {
      report('SB217', said.at, { message: 'An effect is written out: all checks of the order rest on it.' });
    }
    return;
  }
  const undo = get(step.node, 'with', 'undo');
  const place = withOf(step.node, at);
  if (effect === 'reversible' && !undo) {
    report('SB217', valueSpan(place, 'effect'), { message: 'Stated as reversible, and `undo` is not given.' });
  }
  if (effect !== 'reversible' && undo) {
    report('SB217', valueSpan(place, 'undo'), { message: `Stated as ${effect}, and \`undo\` is given.` });
  }
}

function checkProbe(step: Step, context: CheckContext): void {
  const { lookup, report } = context;
  const asked = probeOf(step);
  const named = textAt(step.node, 'gate');
  if (named !== undefined && !step.scope.gates.has(named)) {
    const hint = hintFor(named, step.scope.gates.keys());
    report('SB214', valueSpan(step.node, 'gate'), { message: `There is no gate \`${named}\`.`, hint });
    return;
  }
  if (!asked?.name) return;
  const written = get(step.node, 'record');
  const at = written?.kind === 'scalar' ? written.at : valueSpan(probeBody(step), 'probe');
  const probe = lookup.probes.get(asked.name);
  if (!probe) {
    unknownProbe(asked.name, at, context);
    return;
  }
  readWith(withOf(asked.body, at), probe, { report, references: true });
  for (const key of ['until', 'failIf']) readCondition(get(asked.body, key), probe, { report, references: true });
  checkUntil(step, probe, { report, at });
}

function checkUntil(step: Step, probe: ProbeSpec, { report, at }: Pick<CheckContext, 'report'> & { at: Span }): void {
  if (step.kind !== 'gate' || entriesOf(get(gateBody(step), 'until')).length > 0) return;
  report('SB112', at, { message: `\`until\` is missing: what must \`${probe.name}\` show?` });
}

function probeBody(step: Step): MapNode {
  const written = get(step.node, step.kind);
  if (written?.kind === 'map') return written;
  return step.kind === 'gate' ? gateBody(step) : step.node;
}

function unknownProbe(name: string, at: Span, { lookup, report }: CheckContext): void {
  if (name.includes('${')) report('SB206', at, { message: 'A probe is written out; no reference may stand here.' });
  else report('SB202', at, { message: `There is no probe \`${name}\`.`, hint: hintFor(name, lookup.probes.keys()) });
}

/** What an inclusion is given are parameters of the included file. */
function checkArguments(step: Step, { report }: CheckContext): void {
  const scope = step.children[0]?.scope;
  if (!scope) return;
  for (const [name, { key }] of entriesOf(get(step.node, 'with'))) {
    if (scope.params.has(name)) continue;
    report('SB203', key, {
      message: `\`${scope.file}\` has no parameter \`${name}\`.`,
      hint: hintFor(name, scope.params.keys()),
    });
  }
  const given = get(step.node, 'with');
  for (const param of scope.params.values()) {
    if (param.default || (given?.kind === 'map' && given.entries.has(param.name))) continue;
    const message = `\`${scope.file}\` needs the parameter \`${param.name}\`.`;
    report('SB204', valueSpan(step.node, 'include'), { message });
  }
}

/** `scheme://user:password@`: a runbook is read, sent and logged; a password in it is no secret. */
function refuseLiteralPasswords(node: Node, context: CheckContext): void {
  if (node.kind === 'map') {
    for (const [name, { value }] of node.entries) {
      // Steps inside a group are visited on their own.
      if (name !== 'steps') refuseLiteralPasswords(value, context);
    }
  } else if (node.kind === 'list') {
    for (const item of node.items) refuseLiteralPasswords(item, context);
  } else if (hasPassword(toJson(node))) {
    context.report('SB211', node.at, { message: 'A URL with a password in it.' });
  }
}
