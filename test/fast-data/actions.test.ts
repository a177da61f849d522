import { type LocalHost, until } from '@signalbox/protocol/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasMongo, type MongoStage, startMongoStage } from './mongo/stage.ts';
import { actionOn, hostWith, SOURCE, sampleOn } from './tools.ts';

/** error_codes.yml of MongoDB. */
const USER_WRITES_BLOCKED = 371;

let stage: MongoStage;
let host: LocalHost;
let app: MongoClient;
beforeAll(async () => {
  if (!hasMongo) return;
  // Three members: what is a parameter of each server must be set on each.
  stage = await startMongoStage({ members: 3 });
  host = await hostWith(stage);
  app = new MongoClient(stage.source.uri('app'), { appName: 'rtu' });
});
afterAll(async () => {
  await app?.close();
  await host?.[Symbol.asyncDispose]();
  await stage?.end();
});

describe.runIf(hasMongo)('mongodb.writeBlock', () => {
  const block = () => actionOn(host, 'mongodb.writeBlock', { in: SOURCE, mode: 'require' });

  it('has the server refuse users, and undo lets them write again', async () => {
    const orders = app.db('shop').collection('orders');
    await orders.insertOne({ n: 1 });
    const { before, problems } = await block().check();
    expect([before, problems]).toEqual([{ blockedBefore: false }, []]);
    expect(await block().run(before)).toEqual({ blocked: true });
    await expect(orders.insertOne({ n: 2 })).rejects.toMatchObject({ code: USER_WRITES_BLOCKED });
    expect(await block().probe('do')).toBe('applied');
    expect(await sampleOn(host, 'mongodb.replicaSet', { in: SOURCE })).toMatchObject({ writeBlock: true });

    expect(await block().undo(before)).toEqual({ changed: true });
    expect(await block().undo(before)).toEqual({ changed: false });
    await orders.insertOne({ n: 3 });
    expect(await orders.countDocuments()).toBe(2);
    expect(await block().probe('undo', before)).toBe('applied');
  });

  it('leaves a block that was there before', async () => {
    await block().run();
    const { before } = await block().check();
    await block().run(before);
    expect(await block().undo(before)).toEqual({ changed: false });
    expect(await block().probe('do')).toBe('applied');
    await block().undo({ blockedBefore: false });
  });
});

describe.runIf(hasMongo)('[T41] mongodb.ttlMonitor', () => {
  it('keeps outdated documents on every member, so that quiet can hold, and gives the monitors back', async () => {
    const off = actionOn(host, 'mongodb.ttlMonitor', { in: SOURCE, enabled: false });
    const db = app.db('ttl');
    await db.collection('sessions').createIndex({ at: 1 }, { expireAfterSeconds: 0 });
    // The naive way: nobody writes any more, and there is a write all the same.
    await db.collection('sessions').insertOne({ at: new Date(0) });
    await until('the server to delete', async () => (await db.collection('sessions').countDocuments()) === 0);
    const seen = await sampleOn(host, 'mongodb.quiet', { in: SOURCE, namespaces: ['ttl'] });
    expect(seen.lastWrite).toMatch(/^delete in ttl\.sessions/);

    const { before } = await off.check();
    expect(Object.values(before.monitors ?? {})).toEqual([true, true, true]);
    await off.run(before);
    expect(await off.probe('do')).toBe('applied');
    await db.collection('sessions').insertOne({ at: new Date(0) });
    const passes = async () => (await stage.source.root.db('admin').command({ serverStatus: 1 })).metrics.ttl.passes;
    const then = await passes();

    await off.undo(before);
    expect(await off.probe('undo', before)).toBe('applied');
    await until('the monitor to pass again', async () => (await passes()) > then);
    await until('the server to delete', async () => (await db.collection('sessions').countDocuments()) === 0);
  });

  it('knows when only some members have it', async () => {
    const off = actionOn(host, 'mongodb.ttlMonitor', { in: SOURCE, enabled: false });
    const { before } = await off.check();
    await stage.source.root.db('admin').command({ setParameter: 1, ttlMonitorEnabled: false });
    expect(await off.probe('do')).toBe('partial');
    await off.undo(before);
    expect(await off.probe('do')).toBe('not-applied');
  });

  it('is on again at a member that was restarted, and is turned off once more', async () => {
    const off = actionOn(host, 'mongodb.ttlMonitor', { in: SOURCE, enabled: false });
    const { before } = await off.check();
    await off.run(before);
    const member = stage.source.members.at(-1);
    await member?.kill();
    await member?.start();
    const partly = async () => (await off.probe('do').catch(() => undefined)) === 'partial';
    await until('the member to be back, with its monitor on', partly);
    await off.run((await off.check()).before);
    expect(await off.probe('do')).toBe('applied');
    await off.undo(before);
  });
});
