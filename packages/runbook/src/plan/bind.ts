import { isJsonObject, type Json } from '@signalbox/protocol';
import type { Report, Span } from '../diagnostic.ts';
import type { Scope } from '../model.ts';
import { fromJson, type Node, type ScalarNode } from '../node.ts';
import { isWhole, type Part, partsOf, type Ref } from '../references.ts';
import type { Around } from './draft.ts';
import type { HostForPlan } from './input.ts';

export interface BindContext {
  scope: Scope;
  around: Around;
  host?: HostForPlan;
  report: Report;
  /** Pins `${steps...}` to one instance and host; undefined (and reported) when it means none. */
  pin?: (ref: Extract<Ref, { root: 'steps' }>, at: Span) => Json | undefined;
}

/**
 * Replaces every reference that the plan can know. What only the run knows becomes a value with `$step` or `$run`, or
 * `$join` when there is text around it. Places are kept, so that a wrong value is shown where it is used.
 */
export function bind(node: Node, context: BindContext): Node {
  switch (node.kind) {
    case 'map': {
      const entries = [...node.entries].map(
        ([key, e]) => [key, { key: e.key, value: bind(e.value, context) }] as const,
      );
      return { ...node, entries: new Map(entries) };
    }
    case 'list':
      return { ...node, items: node.items.map((item) => bind(item, context)) };
    case 'scalar':
      return node.text.includes('${') ? bindText(node, context) : node;
    case 'reference':
      return node;
  }
}

function bindText(node: ScalarNode, context: BindContext): Node {
  const parts = partsOf(node, () => {});
  if (isWhole(parts)) {
    const [part] = parts;
    const value = part && 'ref' in part ? refValue(part, context) : undefined;
    if (value === undefined) return { kind: 'reference', at: node.at, value: null };
    return isLate(value) ? { kind: 'reference', at: node.at, value } : fromJson(value, node.at);
  }
  const pieces: Json[] = [];
  for (const part of parts) {
    const value = 'ref' in part ? textOf(part, context) : part.text;
    const last = pieces.at(-1);
    if (typeof value === 'string' && typeof last === 'string') pieces[pieces.length - 1] = last + value;
    else pieces.push(value);
  }
  const [only] = pieces;
  if (pieces.length === 1 && typeof only === 'string') return { ...node, text: only, value: only, plain: false };
  return { kind: 'reference', at: node.at, value: { $join: pieces } };
}

/** Known only while the run goes on. */
function isLate(value: Json): boolean {
  return isJsonObject(value) && ('$step' in value || '$run' in value);
}

function textOf(part: Extract<Part, { ref: Ref }>, context: BindContext): Json {
  const value = refValue(part, context) ?? '';
  if (isLate(value)) return value;
  if (typeof value !== 'object') return String(value);
  context.report('SB205', part.at, { message: `\`${part.source}\` is not one value and cannot stand inside text.` });
  return '';
}

function refValue({ ref, at, source }: Extract<Part, { ref: Ref }>, context: BindContext): Json | undefined {
  const { around, scope, host, report } = context;
  switch (ref.root) {
    case 'params':
      return deep(around.params.get(scope)?.get(ref.path[0]), ref.path.slice(1));
    case 'item': {
      const found = deep(around.item?.value, ref.path);
      if (found === undefined) report('SB207', at, { message: `\`${source}\`: this item has no such value.` });
      return found;
    }
    case 'host':
      return hostValue(ref, { at, host, report });
    case 'steps':
      return context.pin?.(ref, at);
    case 'run':
      return { $run: 'id' };
  }
}

function hostValue(
  ref: Extract<Ref, { root: 'host' }>,
  { at, host, report }: { at: Span; host: HostForPlan | undefined; report: Report },
): Json | undefined {
  if (!host) return undefined;
  if (ref.of === 'name') return host.name;
  const name = ref.path.join('.');
  const value = ref.of === 'labels' ? host.labels[name] : deep({ ...host.facts }, ref.path);
  if (value !== undefined) return value;
  const message = `\`${host.name}\` has no ${ref.of === 'labels' ? 'label' : 'fact'} \`${name}\`.`;
  report('SB236', at, { message });
  return undefined;
}

function deep(value: Json | undefined, path: readonly string[]): Json | undefined {
  let current = value;
  for (const key of path) current = isJsonObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  return current;
}
