import type { Admin, Kafka } from 'kafkajs';
import type { HostContext } from '../host.ts';
import { type KafkaConnection, kafkaSettings } from './connection.ts';
import type { LoggedIn } from './logged-in.ts';
import type { CommittedOffset, PartitionMarks } from './offsets.ts';

export interface KafkaAccess {
  connection: KafkaConnection;
  /** Makes of what the client or the cluster says what the caller throws. */
  fail: (message: string, cause: Error) => Error;
  /** Keeps the connections, for questions that the client does not know. */
  loggedIn?: LoggedIn;
  /** How often a broker that is away is asked again, after pauses that double; default as in `kafkaSettings`. */
  retries?: number;
}

export interface KafkaSession {
  /** Creates no topic, whatever it is asked [T59]. */
  admin: Admin;
  kafka: Kafka;
}

/**
 * One connection for one piece of work; a gate that asks again connects anew, to whichever broker is there then.
 * `fetchOffsets({ resolveOffsets: true })` is never used: it *writes* what it resolves [T51].
 * @throws what `fail` makes of it.
 */
export async function withKafka<T>(
  context: HostContext,
  { connection, fail, loggedIn, retries }: KafkaAccess,
  work: (session: KafkaSession) => Promise<T>,
): Promise<T> {
  // By its default: Node finds not every name of a CommonJS package, and KafkaJSError is none of those that it finds.
  const { Kafka, KafkaJSError, logLevel } = (await import('kafkajs')).default;
  const settings = await kafkaSettings(context, connection);
  const kafka = new Kafka({
    ...settings,
    ...(retries !== undefined && { retry: { ...settings.retry, retries } }),
    logLevel: logLevel.NOTHING,
    ...(loggedIn && { socketFactory: loggedIn.socketFactory }),
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work({ admin, kafka });
  } catch (error) {
    throw error instanceof KafkaJSError ? fail(error.message, error) : error;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Undefined when there is no such topic: what is not there has no lag, and is not made by asking [T59]. */
export async function marksOf(admin: Admin, topic: string): Promise<PartitionMarks[] | undefined> {
  return (await admin.listTopics()).includes(topic) ? await admin.fetchTopicOffsets(topic) : undefined;
}

export async function committedOf(admin: Admin, groupId: string, topic: string): Promise<readonly CommittedOffset[]> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: false });
  return found?.partitions ?? [];
}
