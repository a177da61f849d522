// A Single View Creator in miniature: reads projections and writes the view.
//
//   KAFKA_BROKERS  where it reads
//   LEDGER         the view: a file, to which a line is appended for each message
import { consumerOf, LEDGER, noteRead, readBy, serve } from './kafka-client.ts';

const consumer = consumerOf('svc');

await serve(
  async () => {
    await consumer.connect();
    await consumer.subscribe({ topics: ['projections'] });
    await consumer.run(readBy(async (read) => noteRead(LEDGER, read)));
  },
  () => consumer.disconnect(),
);
