import { count, KafkaConnection, sum } from '@signalbox/protocol/kafka';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { asking, marksOf } from './admin.ts';

const With = z.strictObject({ in: KafkaConnection, topic: z.string().min(1) });

export const kafkaWatermarks = defineProbe<z.infer<typeof With>>({
  name: 'kafka.watermarks',
  version: 1,
  summary: 'How far a topic has been written: `still` over a window means that nobody writes to it, whoever it is.',
  schema: With,
  values: {
    high: { type: 'number', help: 'messages ever written, over all partitions; decimal text above 2^53' },
    low: { type: 'number', help: 'messages deleted by retention, over all partitions; decimal text above 2^53' },
    partitions: { type: 'number', help: 'how many partitions' },
  },
  secrets: ['in'],

  async sample(context, { in: connection, topic }) {
    const marks = await asking(context, connection, (admin) => marksOf(admin, topic));
    return {
      high: count(sum(marks.map(({ high }) => BigInt(high)))),
      low: count(sum(marks.map(({ low }) => BigInt(low)))),
      partitions: marks.length,
    };
  },
});
