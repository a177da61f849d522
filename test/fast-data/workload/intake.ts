// A producer from outside Fast Data, in miniature: an HTTP service whose clients cause numbered messages.
//
//   KAFKA_BROKERS  where it writes
//   POD_NAME       its numbers begin with it, so no two pods have the same
//   LEDGER         a file; a line is appended for each message that the cluster has acknowledged
//   EVERY_MS       default 25
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EVERY_MS, kafka, LEDGER, POD_NAME } from './kafka-client.ts';
import { keyOf } from './numbers.ts';

const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();
let ending = false;
process.once('SIGTERM', () => {
  ending = true;
});
for (let i = 0; !ending; i++) {
  const n = `${POD_NAME}/${i}`;
  try {
    await producer.send({ topic: 'requests', messages: [{ key: keyOf(n), value: n }] });
    appendFileSync(LEDGER, `${n} ${Date.now()}\n`);
    if (i === 0) process.stdout.write('ready\n');
  } catch {
    // Its client was told that it failed, and nobody counts on it.
  }
  await sleep(Number(EVERY_MS));
}
await producer.disconnect();
process.exit(0);
