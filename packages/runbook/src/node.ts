import { isJsonObject, isSecretRef, type Json, type Scalar } from '@signalbox/protocol';
import type { Span } from './diagnostic.ts';

/**
 * A YAML tree that remembers where everything stood. A scalar keeps its source text beside the value that YAML gives it:
 * `1.10` is a version and `12e3456` a revision when the field that they stand in is text.
 */
export type Node = ScalarNode | ListNode | MapNode | ReferenceNode;
export interface ScalarNode {
  kind: 'scalar';
  at: Span;
  text: string;
  value: Scalar;
  /** Quoted and block text is text; only a plain scalar may also be a number or a boolean. */
  plain: boolean;
}
export interface ListNode {
  kind: 'list';
  at: Span;
  items: Node[];
}
export interface MapNode {
  kind: 'map';
  at: Span;
  entries: Map<string, Entry>;
}
/** A value that only the run, or only the host, can know: a pinned step, the run's id, a secret. Fits any type. */
export interface ReferenceNode {
  kind: 'reference';
  at: Span;
  value: Json;
}
export interface Entry {
  key: Span;
  value: Node;
}

export function get(node: Node | undefined, ...path: string[]): Node | undefined {
  let current = node;
  for (const key of path) current = current?.kind === 'map' ? current.entries.get(key)?.value : undefined;
  return current;
}

/** The source text at a path, when a scalar stands there. */
export function textAt(node: Node | undefined, ...path: string[]): string | undefined {
  const found = get(node, ...path);
  return found?.kind === 'scalar' ? found.text : undefined;
}

/** True only for the plain word: quoted text is text. */
export function isFlagged(node: Node | undefined): boolean {
  return node?.kind === 'scalar' && node.value === true;
}

export function entriesOf(node: Node | undefined): [string, Entry][] {
  return node?.kind === 'map' ? [...node.entries] : [];
}

export function itemsOf(node: Node | undefined): Node[] {
  return node?.kind === 'list' ? node.items : [];
}

/** Where to point at for a key of a map: the key itself, or the map when it is not there. */
export function keyAt(node: MapNode, key: string): Span {
  return node.entries.get(key)?.key ?? node.at;
}

/** Where to point at for the value of a key: the scalar, or the key when the value is a whole block. */
export function valueSpan(node: MapNode, key: string): Span {
  const entry = node.entries.get(key);
  if (!entry) return node.at;
  return entry.value.kind === 'scalar' && entry.value.text !== '' ? entry.value.at : entry.key;
}

/** The value as YAML 1.2 reads it, where no declared type says otherwise. */
export function toJson(node: Node): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value;
    case 'list':
      return node.items.map(toJson);
    case 'map':
      return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toJson(value)]));
    case 'reference':
      return node.value;
  }
}

/** Data that came from elsewhere, standing at the place where it was asked for. */
export function fromJson(value: Json, at: Span): Node {
  if (isSecretRef(value)) return { kind: 'reference', at, value };
  if (Array.isArray(value)) return { kind: 'list', at, items: value.map((item) => fromJson(item, at)) };
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(([key, v]): [string, Entry] => [
      key,
      { key: at, value: fromJson(v, at) },
    ]);
    return { kind: 'map', at, entries: new Map(entries) };
  }
  return { kind: 'scalar', at, text: value === null ? '' : String(value), value, plain: typeof value !== 'string' };
}

/** `over` wins key by key; maps under `deep` keys are merged in the same way. */
export function merge(base: MapNode, over: MapNode, deep: readonly string[]): MapNode {
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key)?.value;
    const merged =
      deep.includes(key) && below?.kind === 'map' && entry.value.kind === 'map'
        ? { key: entry.key, value: merge(below, entry.value, []) }
        : entry;
    entries.set(key, merged);
  }
  return { ...base, entries };
}
