// A Real-Time Updater in miniature: reads what comes in and writes projections, which makes it a producer as well [T57].
//
//   KAFKA_BROKERS          where it reads and writes
//   FORCE_CHECK_ON_OFFSET  unless `false`, what has a lower offset than the newest that it knows is dropped [T55]
//   STATE                  a file with the newest offsets; kept with the data, so it outlives the move to another cluster
//   DROPPED                a file; a line is appended for each message that was dropped
//   LEDGER                 a file; a line is appended for each message that a projection was made of
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { consumerOf, kafka, LEDGER, noteRead, POD_NAME, readBy, serve } from './kafka-client.ts';
import { keyOf } from './numbers.ts';

const { FORCE_CHECK_ON_OFFSET = 'true', STATE = '', DROPPED = '' } = process.env;
const checks = FORCE_CHECK_ON_OFFSET !== 'false';
const newest: Record<string, number> = existsSync(STATE) ? JSON.parse(readFileSync(STATE, 'utf8')) : {};

const consumer = consumerOf('rtu');
const producer = kafka.producer({ allowAutoTopicCreation: false });

await serve(
  async () => {
    await producer.connect();
    await consumer.connect();
    await consumer.subscribe({ topics: ['orders', 'requests'] });
    await consumer.run(
      readBy(async (read) => {
        const { topic, partition, message } = read;
        const n = String(message.value);
        const where = `${topic}/${partition}`;
        const offset = Number(message.offset);
        if (checks && offset < (newest[where] ?? 0)) {
          noteRead(DROPPED, read);
          return;
        }
        await producer.send({ topic: 'projections', messages: [{ key: keyOf(n), value: n }] });
        noteRead(LEDGER, read);
        newest[where] = Math.max(offset, newest[where] ?? 0);
        writeFileSync(`${STATE}.${POD_NAME}`, JSON.stringify(newest));
        renameSync(`${STATE}.${POD_NAME}`, STATE);
      }),
    );
  },
  async () => {
    await consumer.disconnect();
    await producer.disconnect();
  },
);
