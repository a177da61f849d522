import { MongoConnection } from '@signalbox/protocol/mongodb';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { askMongo } from './ask.ts';
import { differencesOf, fingerprint, readFacts } from './collections.ts';

const With = z.strictObject({
  left: MongoConnection,
  right: MongoConnection,
  namespaces: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Only these databases (`shop`) or collections (`shop.orders`); all when not given.'),
});

const SHOWN = 10;

export const mongodbCompare = defineProbe<z.infer<typeof With>>({
  name: 'mongodb.compare',
  version: 1,
  summary:
    'Compares two replica sets collection by collection: documents (count and dbHash), indexes, options. Means something only while nobody writes.',
  schema: With,
  values: {
    differences: { type: 'number', help: '0 when both sides are the same' },
    different: { type: 'string', help: 'what differs, the first ten' },
    collections: { type: 'number', help: 'compared' },
    documents: { type: 'number', help: 'on the left' },
    fingerprint: { type: 'string', help: 'of all names, counts and hashes on the left' },
  },
  secrets: ['left', 'right'],

  async sample(context, { left, right, namespaces }) {
    const [a, b] = await Promise.all(
      [left, right].map((side) => askMongo(context, side, (client) => readFacts(client, namespaces))),
    );
    if (!a || !b) throw new Error('both sides were asked');
    const found = differencesOf(a, b);
    return {
      differences: found.length,
      ...(found.length > 0 && { different: found.slice(0, SHOWN).join('; ') }),
      collections: a.size,
      documents: [...a.values()].reduce((sum, { count }) => sum + count, 0),
      fingerprint: fingerprint(a),
    };
  },
});
