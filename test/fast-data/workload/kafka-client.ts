import { appendFileSync } from 'node:fs';
import { type EachMessageHandler, type EachMessagePayload, Kafka, logLevel } from 'kafkajs';
import { COMMIT_EVERY } from './numbers.ts';

/** What a pod of Fast Data in miniature is given: see `intake.ts`, `updater.ts` and `single-view.ts`. */
export const { KAFKA_BROKERS = '', POD_NAME = 'pod', LEDGER = '', EVERY_MS = '25' } = process.env;

/** Its client: patient, because a broker that is restarted is no reason to end. */
export const kafka = new Kafka({
  clientId: POD_NAME,
  brokers: KAFKA_BROKERS.split(','),
  logLevel: logLevel.NOTHING,
  retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1_000 },
});

/** Notices soon that it is to end, and is soon given up when it is killed. */
export const consumerOf = (groupId: string) =>
  kafka.consumer({ groupId, sessionTimeout: 6_000, heartbeatInterval: 1_000, maxWaitTimeInMs: 500 });

/** Left to itself this client commits when it has gone through all that it was given at once: a megabyte of each partition. */
export const readBy = (eachMessage: EachMessageHandler) => ({ autoCommitThreshold: COMMIT_EVERY, eachMessage });

export const noteRead = (ledger: string, { topic, partition, message }: EachMessagePayload) =>
  appendFileSync(ledger, `${message.value} ${Date.now()} ${topic}/${partition}/${message.offset}\n`);

/** Runs the consumer and says that the pod is ready; on SIGTERM the message that was begun is ended, and then it leaves. */
export async function serve(start: () => Promise<void>, end: () => Promise<void>): Promise<void> {
  process.once('SIGTERM', () => {
    end().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
  await start();
  process.stdout.write('ready\n');
}
