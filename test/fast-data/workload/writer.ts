// A writing service of Fast Data in miniature: single-view updates that are numbered and counted. Each message is a document
// and one more on a total, in one transaction; the database's word that it has it goes into a ledger that no database knows.
//
//   MONGODB_URL   where it writes
//   DATABASE      default shop
//   POD_NAME      its numbers begin with it, so no two pods have the same
//   LEDGER        a file; a line is appended for each acknowledged message
//   LINGERS_MS    how long it goes on after it was told to end
//   EVERY_MS      default 25
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connected, DATABASE, LEDGER, POD_NAME, service } from './mongo-client.ts';

const { LINGERS_MS = '0', EVERY_MS = '25' } = process.env;
const RETRY_MS = 100;

const client = await connected();
const views = client.db(DATABASE).collection('views');
const totals = client.db(DATABASE).collection<{ _id: string; count: number }>('totals');

async function write(n: string): Promise<void> {
  const session = client.startSession();
  try {
    await session.withTransaction(
      async () => {
        await views.insertOne({ n, service, at: new Date() }, { session });
        await totals.updateOne({ _id: service }, { $inc: { count: 1 } }, { session, upsert: true });
      },
      { writeConcern: { w: 'majority' } },
    );
  } finally {
    await session.endSession();
  }
}

/** A failed write may have been done: it is looked up before it is made again. */
async function writeOnce(n: string): Promise<boolean> {
  for (let first = true; ; first = false) {
    try {
      if (first || (await views.countDocuments({ n })) === 0) await write(n);
      return true;
    } catch {
      if (ended()) return false;
      await sleep(RETRY_MS);
    }
  }
}

let endAt = Number.POSITIVE_INFINITY;
const ended = () => Date.now() >= endAt;
process.once('SIGTERM', () => {
  endAt = Date.now() + Number(LINGERS_MS);
});

for (let i = 0; !ended(); i++) {
  const n = `${POD_NAME}/${i}`;
  if (await writeOnce(n)) appendFileSync(LEDGER, `${n} ${Date.now()}\n`);
  if (i === 0) process.stdout.write('ready\n');
  await sleep(Number(EVERY_MS));
}
await client.close();
process.exit(0);
