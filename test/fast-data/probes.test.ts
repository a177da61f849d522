import { codeOf, type LocalHost, until } from '@signalbox/protocol/testing';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { hasMongo, type MongoStage, startMongoStage } from './mongo/stage.ts';
import { DESTINATION, hostWith, SOURCE, sampleOn } from './tools.ts';

let stage: MongoStage;
let host: LocalHost;
beforeAll(async () => {
  if (!hasMongo) return;
  stage = await startMongoStage();
  host = await hostWith(stage);
});
afterAll(async () => {
  await host?.[Symbol.asyncDispose]();
  await stage?.end();
});

const quiet = (more = {}) => sampleOn(host, 'mongodb.quiet', { in: SOURCE, ...more });
const compare = (more = {}) => sampleOn(host, 'mongodb.compare', { left: SOURCE, right: DESTINATION, ...more });

/** A database of the test's own on each side, written to as an application writes. */
async function databases(name: string): Promise<{ source: Db; destination: Db; client: MongoClient }> {
  const [client, other] = [stage.source, stage.destination].map(
    (set) => new MongoClient(set.uri('app'), { appName: `app of ${name}` }),
  );
  if (!client || !other) throw new Error('two clients');
  onTestFinished(() => Promise.all([client.close(), other.close()]).then(() => undefined));
  return { client, source: client.db(name), destination: other.db(name) };
}

describe.runIf(hasMongo)('a real replica set', () => {
  it('is described', async () => {
    expect(await sampleOn(host, 'mongodb.replicaSet', { in: SOURCE })).toMatchObject({
      set: 'src',
      primary: stage.source.addresses,
      members: 1,
      unhealthy: 0,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      writeBlock: false,
    });
  });

  it('[I9] refuses a wrong account with a coded failure and without the URI', async () => {
    host.secrets.set('file:/wrong', stage.source.uri('app').replace('what-apps-know', 'not-this-one'));
    const asked = sampleOn(host, 'mongodb.replicaSet', { in: { uri: { $secret: 'file:/wrong' } } });
    const failure = await asked.catch((error: unknown) => error);
    expect(await codeOf(Promise.reject(failure))).toBe('SB-PROBE-MONGODB-REFUSED');
    expect(JSON.stringify(failure) + String(failure)).not.toContain('not-this-one');
  });

  it('[I11] gives no sample where nobody listens', async () => {
    host.secrets.set('file:/nobody', 'mongodb://127.0.0.1:1/?replicaSet=src');
    const asked = sampleOn(host, 'mongodb.quiet', { in: { uri: { $secret: 'file:/nobody' } } });
    expect(await codeOf(asked)).toBe('SB-PROBE-MONGODB');
  });

  it('[T34] shows how far its oplog reaches, and how far it will when it is full', async () => {
    const { source } = await databases('oplog');
    const { windowSeconds, fullWindowSeconds, usedBytes, maxBytes } = await until('an oplog of a second', async () => {
      await source.collection('orders').insertOne({});
      const window = await sampleOn(host, 'mongodb.oplogWindow', { in: SOURCE });
      return Number(window.windowSeconds) >= 1 && window;
    });
    expect(Number(windowSeconds)).toBeLessThan(600);
    expect(Number(fullWindowSeconds)).toBeGreaterThan(Number(windowSeconds));
    expect(Number(usedBytes)).toBeLessThan(Number(maxBytes));
  });
});

describe.runIf(hasMongo)('[T35] quiet', () => {
  /** What the guide's reader looks at: whether connections or operations are active just now. */
  const looksIdle = async () => {
    const operations = await stage.source.root
      .db('admin')
      .aggregate([{ $currentOp: { allUsers: true } }, { $match: { op: { $in: ['insert', 'update', 'remove'] } } }])
      .toArray();
    return operations.length === 0;
  };

  it('is not what a server without an active write looks like: the oplog has the write, its user and its client', async () => {
    const { source } = await databases('quiet1');
    await source.collection('orders').insertOne({ n: 1 });
    expect(await looksIdle()).toBe(true);
    const { writes, lastWrite, namespaces } = await quiet({ namespaces: ['quiet1'] });
    expect(writes).toBe(2);
    expect(namespaces).toBe('quiet1.orders');
    expect(lastWrite).toMatch(
      /^insert in quiet1\.orders \d+ s ago by app@admin from 127\.0\.0\.1:\d+ \(app of quiet1\)$/,
    );
  });

  it('names a client also that gives itself no name, and no member of the set', async () => {
    await stage.source.root.db('quiet5').collection('orders').insertOne({ n: 1 });
    const { lastWrite } = await quiet({ namespaces: ['quiet5'] });
    expect(lastWrite).toMatch(/ by root@admin from 127\.0\.0\.1:\d+ \(without a name\)/);
    expect(lastWrite).not.toContain('__system');
  });

  it('counts what is in a transaction, which is an entry of admin.$cmd, and one that is still open', async () => {
    const { client, source } = await databases('quiet2');
    await source.createCollection('orders');
    const session = client.startSession();
    session.startTransaction();
    await source.collection('orders').insertMany([{ n: 1 }, { n: 2 }], { session });
    // Not in the oplog yet: nobody who looks only there would see it.
    expect(await quiet({ namespaces: ['quiet2.orders'] })).toMatchObject({ writes: 1, openTransactions: 1 });
    await session.commitTransaction();
    await session.endSession();
    expect(await quiet({ namespaces: ['quiet2.orders'] })).toMatchObject({ writes: 3, openTransactions: 0 });
  });

  it('is not disturbed by what the server writes for itself', async () => {
    const { source } = await databases('quiet3');
    await source.collection('orders').insertOne({ n: 1 });
    await until('the test’s own writes to be past', async () => (await quiet({ lookback: '4s' })).writes === 0, {
      timeoutMs: 60_000,
    });
    await stage.source.root.db('admin').command({ setUserWriteBlockMode: 1, global: true });
    await stage.source.root.db('admin').command({ setUserWriteBlockMode: 1, global: false });
    const entries = stage.source.root.db('local').collection('oplog.rs');
    expect(await entries.countDocuments({ ns: 'config.user_writes_critical_sections' })).toBeGreaterThanOrEqual(2);
    expect(await quiet({ lookback: '3s' })).toMatchObject({ writes: 0, openTransactions: 0 });
  });

  it('ends the moment that somebody writes again', async () => {
    const { source } = await databases('quiet4');
    await source.createCollection('orders');
    const only = { namespaces: ['quiet4.orders'], lookback: '1s' };
    await until('quiet', async () => (await quiet(only)).writes === 0, { timeoutMs: 60_000 });
    await source.collection('orders').updateOne({ n: 1 }, { $set: { n: 2 } }, { upsert: true });
    expect((await quiet(only)).writes).toBe(1);
  });
});

describe.runIf(hasMongo)('[T38] two sides', () => {
  it('with the same counts are not the same: documents, indexes and options are compared', async () => {
    const { source, destination } = await databases('same1');
    for (const db of [source, destination]) {
      await db.collection<{ _id: number; total: number }>('orders').insertMany([
        { _id: 1, total: 10 },
        { _id: 2, total: 20 },
      ]);
      await db.collection('orders').createIndex({ total: 1, day: -1 }, { unique: false, name: 'by_total' });
    }
    const only = { namespaces: ['same1'] };
    expect(await compare(only)).toMatchObject({ differences: 0, collections: 1, documents: 2 });

    // The naive way counts, and is content.
    await destination.collection('orders').updateOne({ total: 20 }, { $set: { total: 21 } });
    expect(await source.collection('orders').countDocuments()).toBe(
      await destination.collection('orders').countDocuments(),
    );
    expect(await compare(only)).toMatchObject({
      differences: 1,
      different: 'same1.orders has as many documents, of other content',
    });
    await destination.collection('orders').updateOne({ total: 21 }, { $set: { total: 20 } });

    await destination.collection('orders').dropIndex('by_total');
    await destination.collection('orders').createIndex({ day: -1, total: 1 }, { name: 'by_total' });
    expect((await compare(only)).different).toBe('index by_total of same1.orders differs');
    await destination.collection('orders').dropIndex('by_total');
    expect((await compare(only)).different).toBe('index by_total of same1.orders is only on the left');

    await source.createCollection('late', { validator: { n: { $type: 'int' } } });
    await destination.createCollection('late');
    expect((await compare({ namespaces: ['same1.late'] })).different).toBe('same1.late has other options');
  });

  it('[T42] may have the same data and not the same users', async () => {
    expect(await sampleOn(host, 'mongodb.users', { left: SOURCE, right: DESTINATION })).toMatchObject({ missing: 0 });
    const grant = { createUser: 'crud', pwd: 'x', roles: [{ role: 'read', db: 'same1' }] };
    await stage.source.root.db('same1').command(grant);
    expect(await compare({ namespaces: ['same2'] })).toMatchObject({ differences: 0 });
    expect(await sampleOn(host, 'mongodb.users', { left: SOURCE, right: DESTINATION })).toMatchObject({
      missing: 1,
      lacking: 'user crud@same1',
    });
    await stage.source.root.db('same1').command({ dropUser: 'crud' });
  });
});

describe.runIf(hasMongo)('[T43] a position in a change stream', () => {
  it('means nothing to the other replica set, although it has the same data', async () => {
    const { source, destination } = await databases('streams');
    for (const db of [source, destination]) await db.createCollection('orders');
    const stream = source.collection('orders').watch();
    const seen = stream.next();
    await settled(seen, () => source.collection('orders').insertOne({ n: 1 }));
    const { _id: resumeAfter } = await seen;
    await stream.close();
    // The server looks for the position among what happens from then on: without a change it would wait for ever.
    const elsewhere = destination.collection('orders').watch([], { resumeAfter });
    const next = elsewhere.next();
    await settled(next, () => destination.collection('orders').insertOne({ n: 2 }));
    await expect(next).rejects.toThrow(/resume/);
    await elsewhere.close();
  });
});

/** Goes on changing something until a promise has settled, one way or the other. */
async function settled(promise: Promise<unknown>, change: () => Promise<unknown>): Promise<void> {
  let done = false;
  const mark = () => {
    done = true;
  };
  promise.then(mark, mark);
  await until('a change stream to say something', async () => {
    await change();
    return done;
  });
}

describe.runIf(hasMongo)('writes', () => {
  it('are seen where they happen, with the newest one that is no bookkeeping', async () => {
    const { source } = await databases('writes1');
    const read = () => sampleOn(host, 'mongodb.writes', { in: SOURCE });
    const before = await read();
    await source.collection('orders').insertOne({ n: 1 });
    const after = await read();
    expect(Number(after.writes)).toBeGreaterThan(Number(before.writes));
    expect(after.namespace).toBe('writes1.orders');
  });
});
