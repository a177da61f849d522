import {
  groupPermissionsOf,
  KAFKA_OPERATIONS,
  KafkaConnection,
  type KafkaOperation,
  LoggedIn,
  permissionsOf,
  type TopicPermissions,
} from '@signalbox/protocol/kafka';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { few } from '../support/few.ts';
import { asking, Topic } from './admin.ts';

const Operations = z.array(z.enum(KAFKA_OPERATIONS)).optional();

const With = z.strictObject({
  in: KafkaConnection.describe('The cluster, with the login that is meant.'),
  topics: z.array(Topic).min(1).describe('Topics with their `groups`.'),
  cluster: Operations.describe('Operations that are wanted on the cluster.'),
  topic: Operations.describe('Operations that are wanted on each topic.'),
  group: z
    .array(z.enum(['Read', 'Describe']))
    .default([])
    .describe('Operations that are wanted on each group.'),
});

export const kafkaPermissions = defineProbe<z.infer<typeof With>>({
  name: 'kafka.permissions',
  version: 1,
  summary:
    'Whether a login may do what it will have to, by what the brokers say of it: nothing is read, written, committed or created.',
  schema: With,
  values: {
    missing: { type: 'number', help: 'operations that it may not do, and topics that are not there' },
    lacking: { type: 'string', help: 'which, and on what; absent without any' },
    held: { type: 'number', help: 'operations that it may do' },
  },
  secrets: ['in'],

  async sample(context, { in: connection, topics, cluster = [], topic = [], group = [] }) {
    const groups = [...new Set(topics.flatMap(({ groups: of = [] }) => of))];
    const loggedIn = new LoggedIn();
    const found = await asking(
      context,
      connection,
      async () => {
        const names = topics.map(({ name }) => name);
        const may = await permissionsOf(loggedIn, names);
        const ofGroups: [string, ReadonlySet<KafkaOperation>][] = [];
        // In turn: answers on one connection come in the order of the questions.
        for (const name of groups) ofGroups.push([name, await groupPermissionsOf(loggedIn, name)]);
        return { ...may, groups: ofGroups };
      },
      loggedIn,
    );
    const lacking = [
      ...cluster.filter((operation) => !found.cluster.has(operation)).map((operation) => `${operation} on the cluster`),
      ...topics.flatMap(({ name }) => lackingOn(name, found.topics.get(name), topic)),
      ...found.groups.flatMap(([name, may]) =>
        group.filter((operation) => !may.has(operation)).map((operation) => `${operation} on group ${name}`),
      ),
    ];
    const wanted = cluster.length + topics.length * topic.length + groups.length * group.length;
    return {
      missing: lacking.length,
      ...(lacking.length > 0 && { lacking: few(lacking) }),
      held: Math.max(0, wanted - lacking.length),
    };
  },
});

function lackingOn(name: string, found: TopicPermissions | undefined, wanted: readonly KafkaOperation[]): string[] {
  if (found?.state !== 'there' && found?.state !== 'hidden') return [`there is no topic ${name}`];
  return wanted.filter((operation) => !found.may.has(operation)).map((operation) => `${operation} on topic ${name}`);
}
