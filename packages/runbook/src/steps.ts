import type { Span } from './diagnostic.ts';
import { type Loader, loadDocument } from './load.ts';
import type { Scope, Step } from './model.ts';
import { entriesOf, get, itemsOf, keyAt, type MapNode, type Node, textAt, valueSpan } from './node.ts';
import { readParams } from './params.ts';
import { KEYS_OF, KINDS, type Kind } from './schema/step.ts';

interface Reading {
  loader: Loader;
  scope: Scope;
  parent: Step | undefined;
  byPath: Map<string, Step>;
  /** Files that are being included, outermost first. */
  open: readonly string[];
}

/** Builds the steps of a list, with what is inside and included in them. */
export function readSteps(node: Node | undefined, reading: Reading): Step[] {
  return itemsOf(node).flatMap((item) => (item.kind === 'map' ? readStep(item, reading) : []));
}

function readStep(node: MapNode, reading: Reading): Step[] {
  const { loader, scope, parent, byPath } = reading;
  const kind = kindOf(node, loader);
  const id = textAt(node, 'id');
  if (kind === undefined) return [];
  const at: Span = node.entries.has('id') ? valueSpan(node, 'id') : node.at;
  const wanted = `${scope.prefix}${id ?? `step-${byPath.size + 1}`}`;
  const first = byPath.get(wanted);
  if (first) {
    const message = `\`${wanted}\` is the id of two steps; the other is in line ${first.at.line}.`;
    loader.report('SB116', at, { message });
  }
  // The second of a name is read on, so that what else is wrong with it is said as well.
  const path = first ? `${wanted} (line ${at.line})` : wanted;
  const children: Step[] = [];
  const step: Step = { kind, path, at, node, scope, parent, children, order: byPath.size };
  byPath.set(path, step);
  refuseForeignKeys(step, loader);
  if (kind === 'steps') children.push(...readSteps(get(node, 'steps'), { ...reading, parent: step }));
  if (kind === 'include') children.push(...readIncluded(step, reading));
  return [step];
}

function kindOf(node: MapNode, { report }: Loader): Kind | undefined {
  const kinds = KINDS.filter((kind) => node.entries.has(kind));
  const id = textAt(node, 'id');
  const name = id ? `\`${id}\`` : 'This step';
  if (kinds.length === 0) {
    report('SB114', node.entries.has('id') ? valueSpan(node, 'id') : node.at, { message: `${name} has no kind.` });
  }
  for (const extra of kinds.slice(1)) {
    report('SB114', keyAt(node, extra), { message: `${name} is a \`${kinds[0]}\` and a \`${extra}\` at once.` });
  }
  return kinds[0];
}

function refuseForeignKeys({ kind, node }: Step, { report }: Loader): void {
  const kinds: readonly string[] = KINDS;
  const everywhere = new Set(Object.values(KEYS_OF).flat());
  for (const [key, { key: at }] of entriesOf(node)) {
    if (kinds.includes(key) || KEYS_OF[kind].includes(key) || !everywhere.has(key)) continue;
    const owners = KINDS.filter((k) => KEYS_OF[k].includes(key)).map((k) => `\`${k}\``);
    const message = `\`${key}\` does nothing beside \`${kind}\`; it goes with ${owners.join(', ')}.`;
    report('SB115', at, { message });
  }
}

/** What a runbook says for its whole run; whoever includes it must not lose it unseen. Roles and clocks are told anew. */
const OF_A_RUN = ['exclusive', 'window', 'onFailure', 'whenBusy'] as const;

function readIncluded(step: Step, reading: Reading): Step[] {
  const { loader, open } = reading;
  const path = textAt(step.node, 'include') ?? '';
  const at = valueSpan(step.node, 'include');
  const file = resolvePath(path, step.scope.file);
  if (open.includes(file)) {
    loader.report('SB117', at, { message: `\`${path}\` includes itself: ${[...open, file].join(' > ')}.` });
    return [];
  }
  const text = loader.include(path, step.scope.file);
  if (text === undefined) {
    loader.report('SB117', at, { message: `\`${path}\` cannot be read.` });
    return [];
  }
  loader.sources.set(file, text);
  const spec = get(loadDocument(text, { file }, loader.report), 'spec');
  for (const key of OF_A_RUN) {
    if (spec?.kind !== 'map' || !spec.entries.has(key)) continue;
    const message = `\`${path}\` says \`${key}\`, which is for a whole run and would be lost here.`;
    loader.report('SB118', at, { message });
  }
  const gates = entriesOf(get(spec, 'gates')).flatMap(([name, { value }]): [string, MapNode][] =>
    value.kind === 'map' ? [[name, value]] : [],
  );
  const scope: Scope = {
    file,
    prefix: `${step.path}/`,
    params: readParams(get(spec, 'params'), loader.report),
    gates: new Map(gates),
    outer: { scope: step.scope, step },
  };
  return readSteps(get(spec, 'steps'), { ...reading, scope, parent: step, open: [...open, file] });
}

/** Where an included path leads, seen from the file that names it. Always with `/`, as runbooks are written. */
export function resolvePath(path: string, from: string): string {
  const parts = path.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const part of path.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && (part !== '' || parts.length === 0)) parts.push(part);
  }
  return parts.join('/');
}
