import { KafkaConnection } from '@signalbox/protocol/kafka';
import type { Admin } from 'kafkajs';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { asking, Topic } from './admin.ts';

const With = z.strictObject({
  left: KafkaConnection.describe('The cluster that is moved from.'),
  right: KafkaConnection.describe('The cluster that is moved to.'),
  topics: z.array(Topic).min(1),
});

interface Shape {
  partitions: number;
  policy: string;
}

export const kafkaTopicsMatch = defineProbe<z.infer<typeof With>>({
  name: 'kafka.topicsMatch',
  version: 1,
  summary:
    'Whether topics are on both clusters with the same partitions and cleanup.policy: else the same key lands elsewhere, or state is lost.',
  schema: With,
  values: {
    missing: { type: 'number', help: 'topics that one of the clusters does not have; none is created' },
    partitionsDiffer: { type: 'number', help: 'topics with another number of partitions' },
    policyDiffers: { type: 'number', help: 'topics with another cleanup.policy' },
    compacted: {
      type: 'number',
      help: 'topics of the left cluster that are compacted: state, which has to be carried',
    },
    differences: { type: 'string', help: 'which topics, and how; absent without any' },
  },
  secrets: ['left', 'right'],

  async sample(context, { left, right, topics }) {
    const names = topics.map(({ name }) => name);
    const [a, b] = await Promise.all([
      asking(context, left, (admin) => shapesOf(admin, names)),
      asking(context, right, (admin) => shapesOf(admin, names)),
    ]);
    const pairs = names.map((name) => ({ name, left: a.get(name), right: b.get(name) }));
    const both = pairs.flatMap(({ name, left: from, right: to }) => (from && to ? [{ name, from, to }] : []));
    const missing = pairs.filter((pair) => !pair.left || !pair.right);
    const partitions = both.filter(({ from, to }) => from.partitions !== to.partitions);
    const policies = both.filter(({ from, to }) => from.policy !== to.policy);
    const compacted = pairs.filter((pair) => pair.left?.policy.includes('compact'));
    const differences = [
      ...missing.map((pair) => `${pair.name} is not on the ${pair.left ? 'right' : 'left'}`),
      ...partitions.map(({ name, from, to }) => `${name} has ${from.partitions} and ${to.partitions} partitions`),
      ...policies.map(({ name, from, to }) => `${name} has cleanup.policy ${from.policy} and ${to.policy}`),
      ...compacted.map(({ name }) => `${name} is compacted`),
    ];
    return {
      missing: missing.length,
      partitionsDiffer: partitions.length,
      policyDiffers: policies.length,
      compacted: compacted.length,
      ...(differences.length > 0 && { differences: differences.join('; ') }),
    };
  },
});

/** Code of a topic in DescribeConfigs (Kafka protocol, resource types). */
const TOPIC = 2;

async function shapesOf(admin: Admin, names: readonly string[]): Promise<Map<string, Shape>> {
  const existing = new Set(await admin.listTopics());
  const topics = names.filter((name) => existing.has(name));
  if (topics.length === 0) return new Map();
  const [metadata, configs] = await Promise.all([
    admin.fetchTopicMetadata({ topics }),
    admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((name) => ({ type: TOPIC, name, configNames: ['cleanup.policy'] })),
    }),
  ]);
  const policies = new Map(
    configs.resources.map(({ resourceName, configEntries }) => [resourceName, configEntries[0]?.configValue ?? '']),
  );
  return new Map(
    metadata.topics.map(({ name, partitions }) => [
      name,
      { partitions: partitions.length, policy: policies.get(name) ?? '' },
    ]),
  );
}
