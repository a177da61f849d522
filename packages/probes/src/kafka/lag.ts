import { committedOf, count, KafkaConnection, type PartitionMarks, partitionLag, sum } from '@signalbox/protocol/kafka';
import type { Admin } from 'kafkajs';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { asking, marksOf } from './admin.ts';

const With = z.strictObject({
  in: KafkaConnection,
  topic: z.string().min(1),
  groups: z.array(z.string().min(1)).describe('Every group that has to have read the topic.'),
});

interface Lag {
  group: string;
  partition: number;
  messages: bigint;
  committed: boolean;
}

export const kafkaLag = defineProbe<z.infer<typeof With>>({
  name: 'kafka.lag',
  version: 1,
  summary:
    'What groups have not read of a topic, partition by partition. Transactional topics have control records that nobody reads: give them a tolerance.',
  schema: With,
  values: {
    maxLag: { type: 'number', unit: 'messages', help: 'of the group and partition that are furthest behind' },
    totalLag: { type: 'number', unit: 'messages', help: 'over all groups and partitions' },
    furthest: { type: 'string', help: 'which group and partition; absent without lag' },
    neverCommitted: {
      type: 'number',
      help: 'partitions of groups without a commit; all that is in them counts as lag',
    },
  },
  secrets: ['in'],

  async sample(context, { in: connection, topic, groups }) {
    const lags = await asking(context, connection, async (admin) => {
      const marks = await marksOf(admin, topic);
      return (await Promise.all(groups.map((group) => lagsOf(admin, { group, topic, marks })))).flat();
    });
    const furthest = lags.reduce<Lag | undefined>(
      (most, lag) => (lag.messages > (most?.messages ?? 0n) ? lag : most),
      undefined,
    );
    return {
      maxLag: count(furthest?.messages ?? 0n),
      totalLag: count(sum(lags.map(({ messages }) => messages))),
      neverCommitted: lags.filter(({ committed }) => !committed).length,
      ...(furthest && { furthest: `${furthest.group} in partition ${furthest.partition}` }),
    };
  },
});

async function lagsOf(
  admin: Admin,
  { group, topic, marks }: { group: string; topic: string; marks: readonly PartitionMarks[] },
): Promise<Lag[]> {
  const offsets = new Map((await committedOf(admin, group, topic)).map(({ partition, offset }) => [partition, offset]));
  return marks.map((mark) => {
    const offset = offsets.get(mark.partition) ?? '-1';
    const committed = BigInt(offset) >= 0n;
    return { group, partition: mark.partition, messages: partitionLag(mark, offset), committed };
  });
}
