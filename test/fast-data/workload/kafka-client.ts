import { Kafka, logLevel } from 'kafkajs';

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

/** Runs the consumer and says that the pod is ready; on SIGTERM what was begun is ended, committed, and then left. */
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
