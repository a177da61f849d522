import { createHash } from 'node:crypto';
import { parseDuration, type Values } from '@signalbox/protocol';
import { MONGO_APP_NAME, MongoConnection, readMembers } from '@signalbox/protocol/mongodb';
import type { Document, MongoClient } from 'mongodb';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { askMongo } from './ask.ts';
import { ENTRY_FIELDS, type OplogEntry, type OplogWrite, writesIn } from './oplog.ts';

const LOOKBACK = '15s';

const With = z.strictObject({
  in: MongoConnection.describe('The replica set that nobody may write to.'),
  namespaces: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Only writes to these databases (`shop`) or collections (`shop.orders`) count.'),
  lookback: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'a duration such as 15s')
    .default(LOOKBACK)
    .describe('How far each sample looks back. More than two samples apart, so that no write falls between them.'),
});

export const mongodbQuiet = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.quiet',
  version: 1,
  summary: 'Who still writes to a replica set, by its oplog and not by anybody’s word.',
  schema: With,
  values: {
    writes: { type: 'number', help: 'writes in the oplog within `lookback`, transactions by what is in them' },
    openTransactions: { type: 'number', help: 'transactions that have begun and are neither committed nor aborted' },
    attempts: { type: 'number', help: 'inserts, updates and deletes since the server started, refused ones included' },
    namespaces: { type: 'string', help: 'where the writes went' },
    lastWrite: { type: 'string', help: 'kind, namespace, age, and the user and clients that it can have been' },
  },
  secrets: ['in'],

  sample: (context, { in: connection, namespaces, lookback }) =>
    askMongo(context, connection, async (client) => {
      const members = await readMembers(client);
      if (!members) throw probeError('SB-PROBE-MONGODB-REFUSED', 'the server is in no replica set and has no oplog');
      const nowSeconds = Math.floor(members.localTimeMs / 1_000);
      const sinceSeconds = nowSeconds - Math.ceil((parseDuration(lookback ?? LOOKBACK) ?? 0) / 1_000);
      const [seen, status] = await Promise.all([
        readWrites(client, sinceSeconds, namespaces),
        client.db('admin').command({ serverStatus: 1 }),
      ]);
      const { insert, update, delete: removed } = status.opcounters;
      const last = seen.at(-1);
      return {
        writes: seen.length,
        openTransactions: Number(status.transactions.currentOpen),
        attempts: Number(insert) + Number(update) + Number(removed),
        ...(last && {
          namespaces: [...new Set(seen.map(({ ns }) => ns))].sort().slice(0, 10).join(', '),
          lastWrite: await describeWrite(client, last, nowSeconds),
        }),
      } satisfies Values;
    }),
});

type SeenWrite = OplogWrite & Pick<OplogEntry, 'ts' | 'lsid'>;

async function readWrites(client: MongoClient, sinceSeconds: number, only?: string[]): Promise<SeenWrite[]> {
  const { Timestamp } = await import('mongodb');
  const ts = { $gte: new Timestamp({ t: sinceSeconds, i: 0 }) };
  const oplog = client.db('local').collection<OplogEntry>('oplog.rs');
  const seen: SeenWrite[] = [];
  for await (const entry of oplog.find({ ts, op: { $ne: 'n' } }, { projection: ENTRY_FIELDS })) {
    const { ts: at, lsid } = entry;
    for (const write of writesIn(entry)) {
      if (only && !only.some((name) => write.ns === name || write.ns.startsWith(`${name}.`))) continue;
      seen.push({ ...write, ts: at, ...(lsid && { lsid }) });
    }
  }
  return seen;
}

/**
 * The oplog has the session's owner as SHA-256 of `user@database`: compared with who is connected, that is a name. A write
 * outside of sessions, and a server without accounts, has none; then all clients are named that it can have been.
 */
async function describeWrite(
  client: MongoClient,
  { kind, ns, ts, lsid }: SeenWrite,
  nowSeconds: number,
): Promise<string> {
  const text = `${kind} in ${ns} ${Math.max(0, nowSeconds - ts.getHighBitsUnsigned())} s ago`;
  const operations = await client
    .db('admin')
    .aggregate([{ $currentOp: { allUsers: true, idleConnections: true } }, { $match: { client: { $exists: true } } }])
    .toArray()
    .catch(() => []);
  const uid = lsid?.uid?.toString('hex');
  const clients = operations
    .filter((operation) => operation.appName !== MONGO_APP_NAME && !isInternal(operation))
    .map(({ client: address, appName, effectiveUsers = [] }) => {
      const [user] = effectiveUsers.map(({ user: name, db }: { user: string; db: string }) => `${name}@${db}`);
      const where = `${String(address)} (${typeof appName === 'string' ? appName : 'without a name'})`;
      return { where, user: typeof user === 'string' ? user : undefined };
    });
  const owners = clients.filter(({ user }) => user !== undefined && uid === sha256(user));
  const [owner] = owners;
  const who = owner?.user === undefined ? '' : ` by ${owner.user}`;
  const from = [...new Set((owner ? owners : clients).map(({ where }) => where))].slice(0, 5);
  return `${text}${who}${from.length > 0 ? ` from ${from.join(' or ')}` : ''}`;
}

/** Members of the set talk to each other as `__system`, by a driver of the server's own. */
function isInternal({ effectiveUsers = [], clientMetadata }: Document): boolean {
  const driver = clientMetadata?.driver?.name;
  const system = effectiveUsers.some(({ user }: Document) => user === '__system');
  return (
    system || (typeof driver === 'string' && driver.startsWith('NetworkInterface')) || clientMetadata === undefined
  );
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
