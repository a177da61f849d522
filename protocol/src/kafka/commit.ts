import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, ConsumerCrashEvent, Kafka } from 'kafkajs';

/** A broker that has just begun keeps no offsets yet and says that it can be asked again. */
const TRIES = 10;
const PAUSE_MS = 500;

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
export async function commit(kafka: Kafka, wanted: Commit): Promise<void> {
  if (Object.keys(wanted.offsets).length === 0) return;
  for (let left = TRIES; ; left--) {
    const crash = await commitOnce(kafka, wanted);
    if (crash === undefined) return;
    if (!crash.restart || left === 1) throw crash.error;
    await delay(PAUSE_MS);
  }
}

/** @returns why nothing was committed. The client would begin again by itself, but without the positions. */
async function commitOnce(
  kafka: Kafka,
  { group, topic, offsets }: Commit,
): Promise<ConsumerCrashEvent['payload'] | undefined> {
  const partitions = Object.entries(offsets).map(([partition, offset]) => ({ partition: Number(partition), offset }));
  const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 50, allowAutoTopicCreation: false });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const placed = firstFetch(consumer);
    const ran = consumer.run({ eachBatchAutoResolve: false, eachBatch: async () => undefined });
    consumer.pause([{ topic }]);
    for (const { partition, offset } of partitions) consumer.seek({ topic, partition, offset });
    await ran;
    return await placed;
  } finally {
    await consumer.disconnect();
  }
}

/** Positions are committed before anything is fetched. */
function firstFetch(consumer: Consumer): Promise<ConsumerCrashEvent['payload'] | undefined> {
  return new Promise((resolve) => {
    consumer.on(consumer.events.FETCH, () => resolve(undefined));
    consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload));
  });
}
