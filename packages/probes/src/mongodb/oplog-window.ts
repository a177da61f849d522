import { MongoConnection } from '@signalbox/protocol/mongodb';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { askMongo } from './ask.ts';
import { oplogWindow, readOplogBounds } from './oplog.ts';

const With = z.strictObject({ in: MongoConnection.describe('The replica set.') });

export const mongodbOplogWindow = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.oplogWindow',
  version: 1,
  summary: 'How far back the oplog of a replica set reaches. A copy that takes longer loses its source.',
  schema: With,
  values: {
    windowSeconds: { type: 'number', unit: 's', help: 'from the first entry to the last' },
    fullWindowSeconds: {
      type: 'number',
      unit: 's',
      help: 'the same once the oplog is full, if writes go on as until now',
    },
    usedBytes: { type: 'number', unit: 'bytes', help: 'size of all entries' },
    maxBytes: { type: 'number', unit: 'bytes', help: 'size at which the oldest entries go' },
  },
  secrets: ['in'],

  async sample(context, { in: connection }) {
    const bounds = await askMongo(context, connection, readOplogBounds);
    return { ...oplogWindow(bounds), usedBytes: bounds.usedBytes, maxBytes: bounds.maxBytes };
  },
});
