import {
  findFileConnector,
  findKafka,
  KAFKA_VERSIONS,
  type KafkaBroker,
  type KafkaConnect,
  startKafka,
  startKafkaConnect,
} from '@signalbox/protocol/testing';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import type { Janitor } from '../lab/janitor.ts';

export type Line = keyof typeof KAFKA_VERSIONS;

export const findLine = async (line: Line) => ({
  jars: await findKafka(KAFKA_VERSIONS[line]),
  fileConnector: await findFileConnector(KAFKA_VERSIONS[line]),
});

/** A cluster of one broker with its Kafka Connect. */
export interface Side {
  readonly broker: KafkaBroker;
  readonly connect: KafkaConnect;
}

export async function startSide(janitor: Janitor, line: Line): Promise<Side> {
  const found = await findLine(line);
  const broker = await startKafka(found.jars ?? '', { 'auto.create.topics.enable': 'false' });
  keep(janitor, 'broker', broker);
  const connect = await startKafkaConnect(broker, { fileConnector: found.fileConnector ?? '' });
  keep(janitor, 'Kafka Connect', connect);
  return { broker, connect };
}

/** Also when there is no time to wait. */
function keep(janitor: Janitor, name: string, server: KafkaBroker | KafkaConnect): void {
  janitor.add(
    name,
    async () => await server[Symbol.asyncDispose](),
    () => void server.kill(),
  );
}

export const clientOf = ({ broker }: Side) => new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });

export async function askAdmin<T>(side: Side, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = clientOf(side).admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}
