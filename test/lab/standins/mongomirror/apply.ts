import { isOwnDatabase } from '@signalbox/protocol/mongodb';
import type { Document, FindCursor, MongoClient } from 'mongodb';
import { included } from './copy.ts';

/** NamespaceNotFound, IndexNotFound, NamespaceExists: what an entry wants that the first copy already has seen. */
const ALREADY_SO = [26, 27, 48];

/** As many entries of the oplog at once: each `applyOps` waits for a majority, which takes as long for one as for all. */
const BATCH = 500;

/**
 * Applies the entries of an oplog, as many at once as have come, and tells of each lot that is applied. May do so a second
 * time: after the first copy and after a crash the entries begin before the data. `applyOps` makes an insert of an existing
 * document a replacement and ignores a missing one on delete.
 * @throws for a transaction of which only a part is included, as MongoMirror does.
 */
export async function applyFrom(
  oplog: FindCursor<Document>,
  { to, includes, applied }: { to: MongoClient; includes: readonly string[]; applied: (lot: Document[]) => void },
): Promise<void> {
  for await (const first of oplog) {
    const lot = [first, ...oplog.readBufferedDocuments(BATCH)];
    let changes: Document[] = [];
    for (const operation of lot.flatMap((entry) => operationsOf(entry, includes))) {
      if (operation.op !== 'c') {
        changes.push(operation);
        continue;
      }
      await applyChanges(to, changes);
      changes = [];
      await applyCommand(to, operation, includes);
    }
    await applyChanges(to, changes);
    applied(lot);
  }
}

/** What is included of an entry: changes of documents, or one command. */
function operationsOf({ op, ns, o, o2 }: Document, includes: readonly string[]): Document[] {
  if (op === 'n' || isOwn(ns, o)) return [];
  if (op === 'c' && Array.isArray(o.applyOps)) {
    const inner = o.applyOps.filter((part: Document) => !isOwn(part.ns, part.o));
    const mine = inner.filter((part: Document) => included(part.ns, includes));
    if (mine.length > 0 && mine.length < inner.length) {
      throw new Error(
        `a transaction writes to included and excluded namespaces: ${inner.map((part: Document) => part.ns).join(', ')}`,
      );
    }
    return mine.flatMap((part: Document) => operationsOf(part, includes));
  }
  if (op !== 'c' && !included(ns, includes)) return [];
  return [{ op, ns, o, ...(o2 && { o2 }) }];
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

/** All of them, or, when one of them is of no use any more, each by itself. */
async function applyChanges(client: MongoClient, changes: readonly Document[]): Promise<void> {
  if (changes.length === 0) return;
  await client
    .db('admin')
    .command({ applyOps: changes })
    .catch(async (error: unknown) => {
      if (!isAlreadySo(error)) throw error;
      for (const change of changes) await apply(client, change);
    });
}

async function apply(client: MongoClient, operation: Document): Promise<void> {
  await tolerant(client.db('admin').command({ applyOps: [operation] }));
}

/** What the first copy did not find any more was dropped, and what it found already is there: both are in later entries. */
async function tolerant(done: Promise<unknown>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!isAlreadySo(error)) throw error;
  });
}

function isAlreadySo(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ALREADY_SO.includes(Number(error.code));
}
