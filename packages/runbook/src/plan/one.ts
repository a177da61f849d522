import type { Report } from '../diagnostic.ts';
import type { Lookup } from '../lookup.ts';
import type { Exclusive } from '../model.ts';
import { get, itemsOf, type MapNode, type Node, valueSpan } from '../node.ts';
import { type BindContext, bind } from './bind.ts';
import type { DraftLeaf } from './draft.ts';
import type { HostForPlan } from './input.ts';
import { type Instances, pin } from './pin.ts';

/** What resolving any step of a plan needs. */
export interface LeafContext {
  instances: Instances;
  lookup: Lookup;
  hosts: ReadonlyMap<string, HostForPlan>;
  resources: readonly Exclusive[];
  /** Numbers on screen 1, by written step. */
  numberOf: (draft: DraftLeaf) => number;
  report: Report;
}

/** One instance of a written step, on its way into the plan. */
export interface One {
  leaf: DraftLeaf;
  base: { id: string; number: number; line: number; only?: 'undo'; skip?: string };
  hosts: readonly HostForPlan[];
  /** For values that are the same on every host. */
  bound: BindContext;
  context: LeafContext;
}

/** For values that may differ from host to host, or that only the run knows. */
export function boundOn(host: HostForPlan, { leaf, bound, context }: One): BindContext {
  const { instances, report } = context;
  return { ...bound, host, pin: (ref, at) => pin(ref, { from: leaf, host: host.name, at, report }, instances) };
}

/** `with` as it is on one host, not yet held against its schema. */
export function withOf(node: Node | undefined, one: One, host: HostForPlan): MapNode {
  const given = get(node, 'with');
  const bound = given && bind(given, boundOn(host, one));
  return bound?.kind === 'map' ? bound : { kind: 'map', at: one.leaf.step.at, entries: new Map() };
}

/** The ids in a list of a step. */
export function named(node: Node | undefined): string[] {
  return itemsOf(node).flatMap((item) => (item.kind === 'scalar' ? [item.text] : []));
}

/** Reports an agent that cannot do its part. */
export function needs(
  host: HostForPlan,
  what: 'action' | 'probe',
  { name, key, one }: { name: string; key: string; one: One },
): void {
  const known = what === 'action' ? host.actions : host.probes;
  // A host that was never heard of has told nothing yet; that it is missing is said where its role is bound.
  if (host.state === 'never' || known.some((k) => k === name || k.startsWith(`${name}@`))) return;
  const message = `The agent on \`${host.name}\` has no ${what} \`${name}\`.`;
  one.context.report('SB235', valueSpan(one.leaf.step.node, key), { message });
}
