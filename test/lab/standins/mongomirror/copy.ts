import { isOwnDatabase } from '@signalbox/protocol/mongodb';
import type { Db, Document, MongoClient } from 'mongodb';

interface Sides {
  source: MongoClient;
  destination: MongoClient;
}

const BATCH = 500;

/** Whether a filter of databases and collections has this namespace; an empty one has all. */
export function included(ns: string, includes: readonly string[]): boolean {
  return includes.length === 0 || includes.some((name) => ns === name || ns.startsWith(`${name}.`));
}

/** Copies documents, then indexes, collection by collection. @throws when a namespace is already there, without `drop` */
export async function copyAll(
  { source, destination }: Sides,
  { includes, drop }: { includes: readonly string[]; drop: boolean },
  progress: (
    ns: string,
    copy: { complete: boolean; copiedBytes: number; totalBytes: number; createIndexes: number },
  ) => void,
): Promise<void> {
  const { databases } = await source.db('admin').command({ listDatabases: 1, nameOnly: true });
  for (const { name } of databases.filter((database: Document) => !isOwnDatabase(database.name))) {
    const from = source.db(name);
    for (const { name: collection, options } of await from
      .listCollections({ type: 'collection' }, { nameOnly: false })
      .toArray()) {
      const ns = `${name}.${collection}`;
      if (collection.startsWith('system.') || !included(ns, includes)) continue;
      const to = destination.db(name);
      if ((await to.listCollections({ name: collection }).toArray()).length > 0) {
        if (!drop) throw new Error(`namespace ${ns} exists at the destination; use --drop to replace it`);
        await to.dropCollection(collection);
      }
      await to.createCollection(collection, options ?? {});
      await copyCollection(from, to, { collection, say: (copy) => progress(ns, copy) });
    }
  }
}

async function copyCollection(
  from: Db,
  to: Db,
  { collection, say }: { collection: string; say: (copy: Parameters<Parameters<typeof copyAll>[2]>[1]) => void },
): Promise<void> {
  const [stats] = await from
    .collection(collection)
    .aggregate([{ $collStats: { storageStats: {} } }])
    .toArray();
  const totalBytes = Number(stats?.storageStats.size ?? 0);
  const averageBytes = totalBytes / Math.max(1, Number(stats?.storageStats.count ?? 1));
  let copied = 0;
  let batch: Document[] = [];
  const flush = async () => {
    if (batch.length === 0) return;
    await to.collection(collection).insertMany(batch, { ordered: false });
    copied += batch.length;
    batch = [];
    say({
      complete: false,
      copiedBytes: Math.min(totalBytes, Math.round(copied * averageBytes)),
      totalBytes,
      createIndexes: 0,
    });
  };
  say({ complete: false, copiedBytes: 0, totalBytes, createIndexes: 0 });
  for await (const document of from.collection(collection).find({}, { promoteValues: false })) {
    batch.push(document);
    if (batch.length === BATCH) await flush();
  }
  await flush();
  const indexes = (await from.collection(collection).listIndexes().toArray()).filter(({ name }) => name !== '_id_');
  if (indexes.length > 0)
    await to.command({ createIndexes: collection, indexes: indexes.map(({ ns: _, ...index }) => index) });
  say({ complete: true, copiedBytes: totalBytes, totalBytes, createIndexes: indexes.length });
}
