import { isOwnDatabase } from '@signalbox/protocol/mongodb';
import type { Document, MongoClient } from 'mongodb';
import { covers } from './mirror-unit.ts';

/** All collections with documents or without, as `db.coll`; the server's own and views left out. */
export async function namespacesOf(client: MongoClient): Promise<string[]> {
  const { databases } = await client.db('admin').command({ listDatabases: 1, nameOnly: true });
  const names: string[] = databases.map(({ name }: Document) => String(name));
  const found = await Promise.all(
    names
      .filter((name) => !isOwnDatabase(name))
      .map(async (name) => {
        const collections = await client.db(name).listCollections({ type: 'collection' }, { nameOnly: true }).toArray();
        return collections.filter((c) => !c.name.startsWith('system.')).map((c) => `${name}.${c.name}`);
      }),
  );
  return found.flat().sort();
}

/** What no filter copies. */
export function leftovers(namespaces: readonly string[], filters: readonly string[][]): string[] {
  if (filters.some((filter) => filter.length === 0)) return [];
  return namespaces.filter((ns) => !filters.flat().some((name) => covers(name, ns)));
}

const LOOKED_AT = 10_000;

/**
 * A transaction that writes to namespaces of two mirrors, by what the oplog still has of them: each mirror would carry
 * its part, at its own time, and MongoMirror itself refuses such an entry [T37].
 */
export async function transactionAcross(
  client: MongoClient,
  filters: readonly string[][],
): Promise<string | undefined> {
  const entries = client
    .db('local')
    .collection('oplog.rs')
    .find(
      { op: 'c', ns: 'admin.$cmd', 'o.applyOps': { $exists: true } },
      { projection: { 'o.applyOps.ns': 1, lsid: 1, txnNumber: 1 }, sort: { $natural: -1 }, limit: LOOKED_AT },
    );
  /** A large transaction is several entries. */
  const seen = new Map<string, Set<string>>();
  for await (const { o, lsid, txnNumber } of entries) {
    const id = `${lsid?.id?.toString('hex')} ${String(txnNumber)}`;
    const names = seen.get(id) ?? new Set<string>();
    for (const { ns } of o.applyOps) if (typeof ns === 'string' && !ns.startsWith('config.')) names.add(ns);
    seen.set(id, names);
    const mirrors = new Set(
      [...names].map((ns) => filters.findIndex((filter) => filter.some((name) => covers(name, ns)))),
    );
    if (mirrors.size > 1) return [...names].sort().join(' and ');
  }
  return undefined;
}
