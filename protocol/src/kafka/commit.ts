import type { Consumer, Kafka } from 'kafkajs';

/** Offsets of one group in the topic, by partition; `-1` where it has none. */
export type Offsets = Record<string, string>;

export interface Commit {
  readonly group: string;
  readonly topic: string;
  readonly offsets: Offsets;
}

/**
 * A group's own commit is the only one that this client makes: a consumer joins, reads nothing, and says where it stands.
 * kafkajs's `admin.setOffsets` does the same and then waits 5 s for messages, a topic and group; in a cutover somebody
 * waits for each of them. An offset of -1 is how a cluster is told that there is none any more: DeleteOffsets is not in
 * this client.
 */
export async function commit(kafka: Kafka, { group, topic, offsets }: Commit): Promise<void> {
  const partitions = Object.entries(offsets).map(([partition, offset]) => ({ partition: Number(partition), offset }));
  if (partitions.length === 0) return;
  const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 50, allowAutoTopicCreation: false });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const placed = firstFetch(consumer);
    const ran = consumer.run({ eachBatchAutoResolve: false, eachBatch: async () => undefined });
    consumer.pause([{ topic }]);
    for (const { partition, offset } of partitions) consumer.seek({ topic, partition, offset });
    await ran;
    await placed;
  } finally {
    await consumer.disconnect();
  }
}

/** Positions are committed before anything is fetched. */
function firstFetch(consumer: Consumer): Promise<void> {
  return new Promise((resolve, reject) => {
    consumer.on(consumer.events.FETCH, () => resolve());
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  });
}
