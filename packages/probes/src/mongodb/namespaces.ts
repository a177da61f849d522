import { isOwnDatabase, MongoConnection } from '@signalbox/protocol/mongodb';
import type { MongoClient } from 'mongodb';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { few } from '../support/few.ts';
import { askMongo } from './ask.ts';

const With = z.strictObject({
  in: MongoConnection.describe('The replica set.'),
  databases: z.array(z.string().min(1)).min(1).describe('Those that are meant to be there.'),
});

export const mongodbNamespaces = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.namespaces',
  version: 1,
  summary:
    'Which databases a replica set has, against those that are meant. Its own, and those of tools, are left out.',
  schema: With,
  values: {
    missing: { type: 'number', help: 'databases that are meant and not there' },
    lacking: { type: 'string', help: 'which; absent without any' },
    present: { type: 'string', help: 'databases that are meant and there; absent without any' },
    others: { type: 'string', help: 'databases that nobody has named; absent without any' },
    bytes: { type: 'number', unit: 'bytes', help: 'what those that are meant take on disk' },
  },
  secrets: ['in'],

  async sample(context, { in: connection, databases }) {
    const there = await askMongo(context, connection, sizesOf);
    const lacking = databases.filter((name) => !there.has(name));
    const present = databases.filter((name) => there.has(name));
    const others = [...there.keys()].filter((name) => !databases.includes(name));
    return {
      missing: lacking.length,
      ...(lacking.length > 0 && { lacking: few(lacking) }),
      ...(present.length > 0 && { present: few(present) }),
      ...(others.length > 0 && { others: few(others) }),
      bytes: present.reduce((sum, name) => sum + (there.get(name) ?? 0), 0),
    };
  },
});

async function sizesOf(client: MongoClient): Promise<Map<string, number>> {
  const { databases } = await client.db('admin').command({ listDatabases: 1 });
  const found: { name: string; sizeOnDisk: number }[] = databases;
  return new Map(found.filter(({ name }) => !isOwnDatabase(name)).map((one) => [one.name, Number(one.sizeOnDisk)]));
}
