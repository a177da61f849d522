import { isOwnDatabase } from '@signalbox/protocol/mongodb';
import type { Binary, Document, MongoClient, Timestamp } from 'mongodb';
import { probeError } from '../codes.ts';

/** What of an entry of `local.oplog.rs` is looked at. */
export interface OplogEntry {
  op: string;
  ns: string;
  ts: Timestamp;
  o?: Document;
  /** The session that wrote; `uid` is a hash of the user's name. */
  lsid?: { uid?: Binary };
}

export const ENTRY_FIELDS = { op: 1, ns: 1, ts: 1, o: 1, lsid: 1 } as const;

export interface OplogWrite {
  kind: string;
  ns: string;
}

const KINDS: Readonly<Record<string, string>> = { i: 'insert', u: 'update', d: 'delete', c: 'command' };

/**
 * The writes in an entry; none in a no-op and in what the server writes for itself: sessions, transactions, index builds
 * and the write block are kept in `config`, signing keys in `admin.system.keys`, mongosync's position in a database of its own. A transaction is one entry of
 * `admin.$cmd`, and counts by what is in it [T35]. What is not known is a write.
 */
export function writesIn({ op, ns, o = {} }: Pick<OplogEntry, 'op' | 'ns' | 'o'>): OplogWrite[] {
  if (op === 'n') return [];
  if (op === 'c' && Array.isArray(o.applyOps)) return o.applyOps.flatMap(writesIn);
  const name = op === 'c' ? commandNamespace(ns, o) : ns;
  const [database = ''] = name.split('.');
  // Of `admin` only the keys are bookkeeping: a new user is a write that no mirror carries [T42].
  if (database === 'admin' ? name === 'admin.system.keys' : isOwnDatabase(database)) return [];
  return [{ kind: KINDS[op] ?? op, ns: name }];
}

/** Of a command on `shop.$cmd` its first field is the command, and its value mostly the collection. */
function commandNamespace(ns: string, o: Document): string {
  const [first] = Object.values(o);
  const database = ns.replace(/\.\$cmd$/, '');
  return typeof first === 'string' && !first.includes('.') ? `${database}.${first}` : `${database}.$cmd`;
}

/** First and last entry, newest known position, and how full the oplog is. @throws SB-PROBE-MONGODB-REFUSED */
export async function readOplogBounds(client: MongoClient) {
  const oplog = client.db('local').collection<OplogEntry>('oplog.rs');
  const end = async (direction: 1 | -1) =>
    await oplog.findOne({}, { sort: { $natural: direction }, projection: { ts: 1 } });
  const [first, last, stats] = await Promise.all([
    end(1),
    end(-1),
    client.db('local').command({ collStats: 'oplog.rs', scale: 1 }),
  ]);
  if (!first || !last) throw probeError('SB-PROBE-MONGODB-REFUSED', 'the server has no oplog: it is in no replica set');
  return {
    firstSeconds: first.ts.getHighBitsUnsigned(),
    lastSeconds: last.ts.getHighBitsUnsigned(),
    usedBytes: Number(stats.size),
    maxBytes: Number(stats.maxSize),
  };
}

/**
 * How long the oplog reaches back, and how long it will when it is full: a young one has lost nothing yet, and the rate
 * until now is the only honest guess.
 */
export function oplogWindow({ firstSeconds, lastSeconds, usedBytes, maxBytes }: OplogBounds) {
  const windowSeconds = lastSeconds - firstSeconds;
  const full = usedBytes > 0 && usedBytes < maxBytes ? maxBytes / usedBytes : 1;
  return { windowSeconds, fullWindowSeconds: Math.round(windowSeconds * full) };
}

export type OplogBounds = Awaited<ReturnType<typeof readOplogBounds>>;
