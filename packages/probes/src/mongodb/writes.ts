import { MongoConnection } from '@signalbox/protocol/mongodb';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { askMongo } from './ask.ts';
import { ENTRY_FIELDS, type OplogEntry, writesIn } from './oplog.ts';

const With = z.strictObject({ in: MongoConnection.describe('The replica set that is written to.') });

export const mongodbWrites = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.writes',
  version: 1,
  summary: 'Whether a replica set is being written to.',
  schema: With,
  values: {
    writes: { type: 'number', help: 'inserts, updates and deletes since the primary was started' },
    lastWriteSeconds: {
      type: 'number',
      unit: 's',
      help: 'when the newest write in the oplog was made, as Unix time; rises with each',
    },
    namespace: { type: 'string', help: 'where that went' },
  },
  secrets: ['in'],

  sample: (context, { in: connection }) =>
    askMongo(context, connection, async (client) => {
      const { opcounters } = await client.db('admin').command({ serverStatus: 1 });
      const writes = Number(opcounters.insert) + Number(opcounters.update) + Number(opcounters.delete);
      const newest = client
        .db('local')
        .collection<OplogEntry>('oplog.rs')
        .find({ op: { $ne: 'n' } }, { projection: ENTRY_FIELDS, sort: { $natural: -1 }, limit: 1_000 });
      for await (const entry of newest) {
        const [write] = writesIn(entry);
        if (write) return { writes, lastWriteSeconds: entry.ts.getHighBitsUnsigned(), namespace: write.ns };
      }
      return { writes };
    }),
});
