// A reading service of Fast Data in miniature (CRUD): reads all the time and keeps a ledger of when it could.
//
//   MONGODB_URL, DATABASE, POD_NAME   as for the writer
//   LEDGER                            a file; a line is appended for each read that was answered
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected, DATABASE, LEDGER, POD_NAME } from './mongo-client.ts';

const EVERY_MS = 200;

const client = await connected();
let ending = false;
process.once('SIGTERM', () => {
  ending = true;
});
for (let first = true; !ending; ) {
  try {
    await client.db(DATABASE).collection('views').find({}, { limit: 20 }).toArray();
    appendFileSync(LEDGER, `${POD_NAME} ${Date.now()}\n`);
    if (first) process.stdout.write('ready\n');
    first = false;
  } catch {
    // The next one may be answered; the gap is in the ledger.
  }
  await sleep(EVERY_MS);
}
await client.close();
process.exit(0);
