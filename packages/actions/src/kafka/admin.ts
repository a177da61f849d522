import type { HostContext } from '@signalbox/protocol';
import { type KafkaConnection, kafkaSettings } from '@signalbox/protocol/readings';
import type { Admin } from 'kafkajs';
import { actionError } from '../codes.ts';

/** @throws SB-ACT-KAFKA when the cluster does not do it, or does not say. */
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
    throw actionError('SB-ACT-KAFKA', error.message, { cause: error });
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
