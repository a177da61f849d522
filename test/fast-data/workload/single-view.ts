// A Single View Creator in miniature: reads projections and writes the view.
//
//   KAFKA_BROKERS  where it reads
//   LEDGER         the view: a file, to which a line is appended for each message
import { appendFileSync } from 'node:fs';
import { consumerOf, LEDGER, serve } from './kafka-client.ts';

const consumer = consumerOf('svc');

await serve(
  async () => {
    await consumer.connect();
    await consumer.subscribe({ topics: ['projections'] });
    await consumer.run({
      eachMessage: async ({ message }) => appendFileSync(LEDGER, `${String(message.value)} ${Date.now()}\n`),
    });
  },
  () => consumer.disconnect(),
);
