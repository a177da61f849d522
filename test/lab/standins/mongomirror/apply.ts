import { isOwnDatabase } from '@signalbox/protocol/mongodb';
import type { Document, MongoClient } from 'mongodb';
import { included } from './copy.ts';

/** NamespaceNotFound, IndexNotFound, NamespaceExists: what an entry wants that the first copy already has seen. */
const ALREADY_SO = [26, 27, 48];

/**
 * Applies one entry of the oplog, and may do so a second time: after the first copy and after a crash the entries begin
 * before the data. `applyOps` makes an insert of an existing document a replacement and ignores a missing one on delete.
 * @throws for a transaction of which only a part is included, as MongoMirror does.
 */
export async function applyEntry(client: MongoClient, entry: Document, includes: readonly string[]): Promise<void> {
  const { op, ns, o } = entry;
  if (op === 'n' || isOwn(ns, o)) return;
  if (op === 'c' && Array.isArray(o.applyOps)) {
    const inner = o.applyOps.filter((part: Document) => !isOwn(part.ns, part.o));
    const mine = inner.filter((part: Document) => included(part.ns, includes));
    if (mine.length > 0 && mine.length < inner.length) {
      throw new Error(
        `a transaction writes to included and excluded namespaces: ${inner.map((part: Document) => part.ns).join(', ')}`,
      );
    }
    for (const part of mine) await applyEntry(client, part, includes);
    return;
  }
  if (op === 'c') return await applyCommand(client, entry, includes);
  if (!included(ns, includes)) return;
  const { o2 } = entry;
  await apply(client, { op, ns, o, ...(o2 && { o2 }) });
}

function isOwn(ns: string, o: Document): boolean {
  const [database = ''] = ns.split('.');
  return isOwnDatabase(database) && !(database === 'admin' && Array.isArray(o.applyOps));
}

async function applyCommand(client: MongoClient, { ns, o }: Document, includes: readonly string[]): Promise<void> {
  const database = ns.replace(/\.\$cmd$/, '');
  const [[command, value] = ['', '']] = Object.entries(o);
  if (!included(`${database}.${String(value)}`, includes)) return;
  const collection = o.commitIndexBuild ?? o.createIndexes;
  if (typeof collection === 'string') {
    // An index that was built on a collection with documents is committed as a whole; on an empty one it is one entry.
    const { createIndexes: _, commitIndexBuild: _1, indexBuildUUID: _2, indexes, ...single } = o;
    await tolerant(client.db(database).command({ createIndexes: collection, indexes: indexes ?? [single] }));
    return;
  }
  if (['startIndexBuild', 'abortIndexBuild', 'commitTransaction', 'abortTransaction'].includes(command)) return;
  await apply(client, { op: 'c', ns, o });
}

async function apply(client: MongoClient, operation: Document): Promise<void> {
  await tolerant(client.db('admin').command({ applyOps: [operation] }));
}

/** What the first copy did not find any more was dropped, and what it found already is there: both are in later entries. */
async function tolerant(done: Promise<unknown>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && ALREADY_SO.includes(Number(error.code)))) throw error;
  });
}
