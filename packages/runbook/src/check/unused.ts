import { get, textAt } from '../node.ts';
import { roleName, roleOf, worksOnHosts } from '../step-queries.ts';
import type { CheckContext } from './context.ts';

/** What is declared and never used is often a misspelling elsewhere. */
export function checkUnused({ runbook, report }: CheckContext): void {
  const steps = [...runbook.byPath.values()];
  const text = [...runbook.sources.values()].join('\n');
  const params = new Set(Array.from(text.matchAll(/\bparams\.([A-Za-z0-9_-]+)/g), ([, name]) => name));
  for (const { name, at } of runbook.scope.params.values()) {
    if (!params.has(name)) report('SB220', at, { message: `The parameter \`${name}\` is never used.` });
  }
  // A step whose hosts cannot be read may have meant any role: its own finding is the one that helps.
  const legible = steps.every((step) => !worksOnHosts(step.kind) || roleOf(step, runbook) !== undefined);
  const roles = new Set(steps.map(roleName));
  for (const { name, at } of runbook.roles.values()) {
    if (legible && !roles.has(name)) report('SB220', at, { message: `The role \`${name}\` is never used.` });
  }
  const gates = new Set(steps.map((step) => textAt(step.node, 'gate')));
  const declared = get(runbook.spec, 'gates');
  if (declared?.kind !== 'map') return;
  for (const [name, { key }] of declared.entries) {
    if (!gates.has(name)) report('SB220', key, { message: `The gate \`${name}\` is never asked.` });
  }
}
