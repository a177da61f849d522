import type { HostContext } from '@signalbox/protocol';
import {
  type CommittedOffset,
  type KafkaConnection,
  kafkaSettings,
  type PartitionMarks,
} from '@signalbox/protocol/readings';
import type { Admin } from 'kafkajs';
import { z } from 'zod';
import { probeError } from '../codes.ts';

/** A topic as a runbook lists it: what more stands beside its name (groups, tolerance) is for other steps. */
export type Topic = z.infer<typeof Topic>;
export const Topic = z.looseObject({ name: z.string().min(1), groups: z.array(z.string().min(1)).optional() });

/**
 * Asks a cluster through kafkajs's admin client, which creates no topic. `fetchOffsets({ resolveOffsets: true })` is never
 * used: it *writes* what it resolves [T51].
 * @throws SB-PROBE-KAFKA, SB-PROBE-KAFKA-TOPIC
 */
export async function asking<T>(
  context: HostContext,
  connection: KafkaConnection,
  ask: (admin: Admin) => Promise<T>,
): Promise<T> {
  const { Kafka, KafkaJSError, logLevel } = await import('kafkajs');
  const kafka = new Kafka({ ...(await kafkaSettings(context, connection)), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await ask(admin);
  } catch (error) {
    if (!(error instanceof KafkaJSError)) throw error;
    throw probeError('SB-PROBE-KAFKA', error.message, { cause: error });
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** @throws SB-PROBE-KAFKA-TOPIC: a gate never makes a topic, and what is not there has no lag [T59]. */
export async function marksOf(admin: Admin, topic: string): Promise<PartitionMarks[]> {
  if (!(await admin.listTopics()).includes(topic))
    throw probeError('SB-PROBE-KAFKA-TOPIC', `there is no topic ${topic}`);
  return await admin.fetchTopicOffsets(topic);
}

export async function committedOf(admin: Admin, groupId: string, topic: string): Promise<readonly CommittedOffset[]> {
  const [found] = await admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: false });
  return found?.partitions ?? [];
}
