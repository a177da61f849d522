import type { Step } from '../model.ts';
import { textAt, valueSpan } from '../node.ts';
import { gateBody, roleName, worksOnHosts } from '../step-queries.ts';
import { hintFor } from '../suggest.ts';
import type { CheckContext } from './context.ts';

/** Roles that are named exist, and every step that works on hosts has one. */
export function checkHosts(context: CheckContext): void {
  for (const step of context.runbook.byPath.values()) {
    const named = textAt(step.node, 'hosts');
    if (named !== undefined) knownRole(step, named, context);
    else if (worksOnHosts(step.kind)) needsRole(step, context);
  }
}

function knownRole(step: Step, name: string, { runbook, report }: CheckContext): void {
  const at = valueSpan(step.node, 'hosts');
  if (name.includes('${')) report('SB206', at, { message: 'A role is written out; no reference may stand here.' });
  else if (!runbook.roles.has(name)) {
    report('SB212', at, { message: `There is no role \`${name}\`.`, hint: hintFor(name, runbook.roles.keys()) });
  }
}

function needsRole(step: Step, { runbook, report }: CheckContext): void {
  const name = roleName(step);
  const at = valueSpan(step.node, step.kind);
  if (name === undefined) {
    // `on:` and a gate by a name that does not exist have findings of their own.
    if (step.node.entries.has('on')) return;
    const gate = step.kind === 'gate' ? textAt(step.node, 'gate') : undefined;
    if (gate !== undefined && !step.scope.gates.has(gate)) return;
    report('SB213', at, { message: `\`${step.path}\` has no hosts.` });
    return;
  }
  const body = step.kind === 'gate' ? gateBody(step) : undefined;
  if (body && textAt(body, 'hosts') === name && !runbook.roles.has(name)) {
    const message = `There is no role \`${name}\`.`;
    report('SB212', valueSpan(body, 'hosts'), { message, hint: hintFor(name, runbook.roles.keys()) });
  }
}
