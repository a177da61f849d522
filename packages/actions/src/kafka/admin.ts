import type { HostContext } from '@signalbox/protocol';
import {
  type KafkaConnection,
  type KafkaSession,
  marksOf as marksIn,
  type PartitionMarks,
  withKafka,
} from '@signalbox/protocol/kafka';
import type { Admin } from 'kafkajs';
import { actionError } from '../codes.ts';

/**
 * Six seconds, beside connecting: a gate would ask again, but a step has a few tries, and a broker that is restarted is away
 * for longer than those take. Still shorter than a check may take when every connection is waited for.
 */
const RETRIES = 5;

/** @throws SB-ACT-KAFKA when the cluster does not do it, or does not say. */
export function asking<T>(
  context: HostContext,
  connection: KafkaConnection,
  ask: (session: KafkaSession) => Promise<T>,
): Promise<T> {
  const fail = (message: string, cause: Error) => actionError('SB-ACT-KAFKA', message, { cause });
  return withKafka(context, { connection, fail, retries: RETRIES }, ask);
}

/** @throws SB-ACT-KAFKA-TOPIC: nothing is committed for a topic that would have to be made first. */
export async function marksOf(admin: Admin, topic: string): Promise<PartitionMarks[]> {
  const marks = await marksIn(admin, topic);
  if (!marks) throw actionError('SB-ACT-KAFKA-TOPIC', `there is no topic ${topic}`);
  return marks;
}
