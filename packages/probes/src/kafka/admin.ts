import type { HostContext } from '@signalbox/protocol';
import {
  type KafkaConnection,
  type LoggedIn,
  marksOf as marksIn,
  type PartitionMarks,
  withKafka,
} from '@signalbox/protocol/kafka';
import type { Admin } from 'kafkajs';
import { z } from 'zod';
import { probeError } from '../codes.ts';

/** A topic as a runbook lists it: what more stands beside its name (groups, tolerance) is for other steps. */
export type Topic = z.infer<typeof Topic>;
export const Topic = z.looseObject({ name: z.string().min(1), groups: z.array(z.string().min(1)).optional() });

/** @throws SB-PROBE-KAFKA, SB-PROBE-KAFKA-TOPIC */
export function asking<T>(
  context: HostContext,
  connection: KafkaConnection,
  ask: (admin: Admin) => Promise<T>,
  loggedIn?: LoggedIn,
): Promise<T> {
  const fail = (message: string, cause: Error) => probeError('SB-PROBE-KAFKA', message, { cause });
  return withKafka(context, { connection, fail, ...(loggedIn && { loggedIn }) }, ({ admin }) => ask(admin));
}

/** @throws SB-PROBE-KAFKA-TOPIC */
export async function marksOf(admin: Admin, topic: string): Promise<PartitionMarks[]> {
  const marks = await marksIn(admin, topic);
  if (!marks) throw probeError('SB-PROBE-KAFKA-TOPIC', `there is no topic ${topic}`);
  return marks;
}
