import { committedOf, count, KafkaConnection, sum } from '@signalbox/protocol/kafka';
import type { Admin } from 'kafkajs';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { asking, Topic } from './admin.ts';

const With = z.strictObject({
  in: KafkaConnection,
  topics: z.array(Topic).min(1).describe('Topics with their `groups`.'),
});

export const kafkaGroups = defineProbe<z.infer<typeof With>>({
  name: 'kafka.groups',
  version: 1,
  summary:
    'Whether anybody still consumes. A consumer with partitions of its own choice is no member: only `committed: { still: true }` shows it.',
  schema: With,
  values: {
    members: { type: 'number', help: 'of all groups; absent while a group cannot be seen through' },
    committed: { type: 'number', help: 'sum of all committed offsets; decimal text above 2^53' },
    busy: { type: 'string', help: 'groups that have members, with their number; absent without any' },
    unseen: {
      type: 'string',
      help: 'groups of the protocol of KIP-848: the cluster lists them, and does not tell this client of their members',
    },
  },
  secrets: ['in'],

  async sample(context, { in: connection, topics }) {
    const groups = [...new Set(topics.flatMap((topic) => topic.groups ?? []))];
    return await asking(context, connection, async (admin) => {
      const states = await statesOf(admin, groups);
      const unseen = states.filter(({ unseen }) => unseen).map(({ group }) => group);
      const busy = states.filter(({ members }) => members > 0).map(({ group, members }) => `${group} ${members}`);
      const offsets = topics.flatMap(({ name, groups: of = [] }) => of.map((group) => committedOf(admin, group, name)));
      const committed = (await Promise.all(offsets)).flat().map(({ offset }) => BigInt(offset));
      return {
        committed: count(sum(committed.filter((offset) => offset >= 0n))),
        ...(unseen.length === 0 && { members: states.reduce((all, { members }) => all + members, 0) }),
        ...(busy.length > 0 && { busy: busy.join(', ') }),
        ...(unseen.length > 0 && { unseen: unseen.join(', ') }),
      };
    });
  },
});

interface GroupState {
  group: string;
  members: number;
  unseen: boolean;
}

/**
 * A group of KIP-848 reads as `Dead` without members in the answer that this client understands, and so does one that
 * does not exist. The list of groups tells them apart [T52].
 */
async function statesOf(admin: Admin, groups: readonly string[]): Promise<GroupState[]> {
  if (groups.length === 0) return [];
  const [{ groups: described }, { groups: listed }] = await Promise.all([
    admin.describeGroups([...groups]),
    admin.listGroups(),
  ]);
  const existing = new Set(listed.map(({ groupId }) => groupId));
  return described.map(({ groupId: group, state, members }) => {
    return { group, members: members.length, unseen: state === 'Dead' && existing.has(group) };
  });
}
