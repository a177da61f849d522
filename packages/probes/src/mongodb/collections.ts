import { createHash } from 'node:crypto';
import { isOwnDatabase } from '@signalbox/protocol/mongodb';
import type { Document, MongoClient } from 'mongodb';

/** One collection or view, in a form in which two servers can be compared. */
export interface CollectionFacts {
  count: number;
  /** MD5 of all documents in the order of `_id`, as dbHash makes it; absent where it makes none (capped collections). */
  hash?: string;
  /** Names of indexes with what they are, normalised. */
  indexes: Record<string, string>;
  /** Validators, collation, view pipelines and the like, normalised. */
  options: string;
}
export type Facts = Map<string, CollectionFacts>;

/** Facts of all collections, or of those in `only`: `shop` or `shop.orders`. */
export async function readFacts(client: MongoClient, only?: readonly string[]): Promise<Facts> {
  const facts: Facts = new Map();
  const { databases } = await client.db('admin').command({ listDatabases: 1, nameOnly: true });
  const names = databases.map(({ name }: { name: string }) => name).filter((name: string) => !isOwnDatabase(name));
  for (const name of names.sort()) {
    if (only && !only.some((wanted) => wanted.split('.')[0] === name)) continue;
    for (const [ns, found] of await readDatabase(client, name)) {
      if (!only || only.some((wanted) => ns === wanted || name === wanted)) facts.set(ns, found);
    }
  }
  return facts;
}

async function readDatabase(client: MongoClient, name: string): Promise<Facts> {
  const db = client.db(name);
  const [hashes, collections] = await Promise.all([
    db.command({ dbHash: 1 }),
    db.listCollections({}, { nameOnly: false }).toArray(),
  ]);
  const facts: Facts = new Map();
  for (const { name: collection, type, options = {} } of collections) {
    if (collection.startsWith('system.') && !collection.startsWith('system.buckets.')) continue;
    const view = type === 'view' || type === 'timeseries';
    const hash = hashes.collections[collection];
    facts.set(`${name}.${collection}`, {
      count: view ? 0 : await db.collection(collection).countDocuments({}),
      ...(typeof hash === 'string' && { hash }),
      indexes: view ? {} : await readIndexes(client, name, collection),
      options: canonical(options),
    });
  }
  return facts;
}

async function readIndexes(client: MongoClient, database: string, collection: string): Promise<Record<string, string>> {
  const indexes = await client.db(database).collection(collection).listIndexes().toArray();
  return Object.fromEntries(indexes.map((index) => [String(index.name), normaliseIndex(index)]));
}

/** Left out is what differs between servers that do the same: format version, namespace, how it was built. */
export function normaliseIndex({
  v: _v,
  ns: _ns,
  background: _background,
  name: _name,
  key,
  ...rest
}: Document): string {
  // The order of the key's fields is what a compound index is; that of the options means nothing.
  return `${JSON.stringify(Object.entries(key))} ${canonical(rest)}`;
}

/** JSON with sorted keys. Ids that each server makes for itself are left out. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (key, item: unknown) => {
    if (key === 'uuid') return undefined;
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** One line a difference, of two sides that were read while nobody wrote. */
export function differencesOf(left: Facts, right: Facts): string[] {
  const names = [...new Set([...left.keys(), ...right.keys()])].sort();
  return names.flatMap((ns) => {
    const [a, b] = [left.get(ns), right.get(ns)];
    if (!a || !b) return [`${ns} is only on the ${a ? 'left' : 'right'}`];
    return [
      ...(a.count === b.count ? [] : [`${ns} has ${a.count} documents on the left and ${b.count} on the right`]),
      ...(a.count === b.count && a.hash !== b.hash ? [`${ns} has as many documents, of other content`] : []),
      ...indexDifferences(ns, a.indexes, b.indexes),
      ...(a.options === b.options ? [] : [`${ns} has other options`]),
    ];
  });
}

function indexDifferences(ns: string, left: Record<string, string>, right: Record<string, string>): string[] {
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
  return names.flatMap((name) => {
    if (left[name] === right[name]) return [];
    if (left[name] === undefined || right[name] === undefined) {
      return [`index ${name} of ${ns} is only on the ${left[name] === undefined ? 'right' : 'left'}`];
    }
    return [`index ${name} of ${ns} differs`];
  });
}

/** One number for all that was compared: evidence that can be asked for again years later. */
export function fingerprint(facts: Facts): string {
  const lines = [...facts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([ns, { count, hash }]) => `${ns} ${count} ${hash}`);
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 16);
}
