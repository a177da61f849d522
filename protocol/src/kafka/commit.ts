import { setTimeout as delay } from 'node:timers/promises';
import type { Consumer, Kafka } from 'kafkajs';
import { committedOf, type KafkaSession } from './session.ts';

/** A broker that is restarted, or has just begun and keeps no offsets yet, is asked again for so long. */
const WITHIN_MS = 30_000;
const PAUSE_MS = 500;
/** So long a broker waits for a member that it has lost: one whose connection was cut off keeps its partitions until then. */
const SESSION_MS = 10_000;

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
 * this client. The client goes on in silence when its connection is lost in that moment, and has forgotten the positions:
 * what counts is what the cluster says afterwards.
 */
export async function commit({ admin, kafka }: KafkaSession, wanted: Commit): Promise<void> {
  if (Object.keys(wanted.offsets).length === 0) return;
  const endMs = performance.now() + WITHIN_MS;
  for (;;) {
    const error = await attempt({ admin, kafka }, wanted);
    if (error === undefined) return;
    if (!isPassing(error) || performance.now() > endMs) throw error;
    await delay(PAUSE_MS);
  }
}

/** @returns why the group does not stand where it should. */
async function attempt({ admin, kafka }: KafkaSession, wanted: Commit): Promise<unknown> {
  const { KafkaJSError } = (await import('kafkajs')).default;
  const { group, topic, offsets } = wanted;
  try {
    await commitOnce(kafka, wanted);
    const found = await committedOf(admin, group, topic);
    const differs = found.some(({ partition, offset }) => offset !== (offsets[partition] ?? offset));
    return differs ? new KafkaJSError(`${group} does not stand in ${topic} where it was told to`) : undefined;
  } catch (error) {
    return error;
  }
}

/** As the client itself sees it: its last try fails with what has made it give up. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'KafkaJSNumberOfRetriesExceeded') return true;
  return ('retriable' in error && error.retriable === true) || isPassing(error.cause);
}

/** The client would begin again by itself, but without the positions. @throws why nothing was committed. */
async function commitOnce(kafka: Kafka, { group, topic, offsets }: Commit): Promise<void> {
  const partitions = Object.entries(offsets).map(([partition, offset]) => ({ partition: Number(partition), offset }));
  const times = { sessionTimeout: SESSION_MS, maxWaitTimeInMs: 50 };
  const consumer = kafka.consumer({ groupId: group, ...times, allowAutoTopicCreation: false });
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
