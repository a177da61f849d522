import type { Step } from '../model.ts';
import { entriesOf, get, keyAt, textAt, valueSpan } from '../node.ts';
import { partsOf } from '../references.ts';
import { roleName, withAncestors } from '../step-queries.ts';
import type { CheckContext } from './context.ts';

/** forEach and batch: over something that is there, and never inside another of their kind. */
export function checkRepetition(context: CheckContext): void {
  for (const step of context.runbook.byPath.values()) {
    for (const [key, code] of [
      ['forEach', 'SB218'],
      ['batch', 'SB219'],
    ] as const) {
      if (!step.node.entries.has(key)) continue;
      const outer = withAncestors(step).find((s) => s !== step && s.node.entries.has(key));
      if (outer) {
        const message = `\`${key}\` inside the \`${key}\` of \`${outer.path}\` (line ${outer.at.line}).`;
        context.report(code, keyAt(step.node, key), { message });
      }
    }
    if (step.node.entries.has('forEach')) checkList(step, context);
    if (step.node.entries.has('batch') && roleName(step) === undefined) {
      context.report('SB219', keyAt(step.node, 'batch'), { message: 'A batch of hosts, and no `hosts`.' });
    }
  }
}

function checkList(step: Step, { report }: CheckContext): void {
  const forEach = get(step.node, 'forEach');
  const over = get(forEach, 'in');
  if (forEach?.kind !== 'map' || over === undefined || over.kind === 'list') return;
  const at = valueSpan(forEach, 'in');
  const [part, ...more] = over.kind === 'scalar' ? partsOf(over, () => {}) : [];
  const ref = part && 'ref' in part && more.length === 0 ? part.ref : undefined;
  const param = ref?.root === 'params' && ref.path.length === 1 ? step.scope.params.get(ref.path[0]) : undefined;
  if (ref?.root !== 'params') {
    report('SB218', at, { message: '`in` is a list, or a reference to a list parameter.' });
    return;
  }
  if (!param) return;
  if (param.type !== 'list') {
    report('SB218', at, { message: `\`${param.name}\` is a ${param.type}, not a list.` });
    return;
  }
  const key = textAt(forEach, 'key');
  if (typeof param.of !== 'object') return;
  if (key === undefined) {
    const message = `\`key\` is missing: which field of an item of \`${param.name}\` names it?`;
    report('SB218', keyAt(step.node, 'forEach'), { message });
  } else if (!param.of.has(key)) {
    const fields = [...param.of.keys()].map((f) => `\`${f}\``).join(', ');
    report('SB218', valueSpan(forEach, 'key'), {
      message: `Items of \`${param.name}\` have ${fields}, no \`${key}\`.`,
    });
  }
}

/** The fields of the items of a step's forEach, as far as they are declared; undefined when they are not. */
export function itemFields(step: Step): Set<string> | undefined {
  const over = get(step.node, 'forEach', 'in');
  if (over?.kind === 'list') {
    return new Set(over.items.flatMap((item) => entriesOf(item).map(([name]) => name)));
  }
  const name = over?.kind === 'scalar' ? /^\$\{params\.([^.}]+)\}$/.exec(over.text)?.[1] : undefined;
  const of = name === undefined ? undefined : step.scope.params.get(name)?.of;
  return typeof of === 'object' ? new Set(of.keys()) : undefined;
}
