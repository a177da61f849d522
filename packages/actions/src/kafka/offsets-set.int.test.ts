import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { CLIENT_ID } from '@signalbox/protocol/kafka';
import { findKafka, KAFKA_VERSIONS, type KafkaBroker, startKafka } from '@signalbox/protocol/testing';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, LocalHost, requireReal } from '../testing.ts';
import { kafkaOffsetsSet as action } from './offsets-set.ts';

/** Port 1 on loopback: refused at once. */
const NOBODY = 1;
const version = KAFKA_VERSIONS.old;
const jars = await findKafka(version);

describe.runIf(requireReal(`Kafka ${version} (Java and Maven)`, jars !== undefined))('kafka.offsetsSet', () => {
  let host: LocalHost;
  let broker: KafkaBroker;
  let kafka: Kafka;

  beforeAll(async () => {
    host = await LocalHost.create();
    broker = await startKafka(jars ?? '');
    kafka = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [{ topic: 'new', numPartitions: 2 }],
      waitForLeaders: true,
    });
    await admin.setOffsets({ groupId: 'settled', topic: 'new', partitions: [{ partition: 0, offset: '1' }] });
    await admin.disconnect();
    await produce('x', [0, 0, 0, 1]);
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  const input = (groups: string[], at: 'low' | 'high' = 'low') => ({
    in: { brokers: broker.brokers },
    topic: 'new',
    groups,
    at,
  });
  async function offsets(groupId: string): Promise<string[]> {
    const admin = kafka.admin();
    await admin.connect();
    const [found] = await admin.fetchOffsets({ groupId, topics: ['new'] });
    await admin.disconnect();
    return (found?.partitions ?? []).sort((a, b) => a.partition - b.partition).map(({ offset }) => offset);
  }
  async function groups(): Promise<string[]> {
    const admin = kafka.admin();
    await admin.connect();
    const { groups: listed } = await admin.listGroups();
    await admin.disconnect();
    return listed.map(({ groupId }) => groupId);
  }
  async function produce(value: string, partitions: number[]): Promise<void> {
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: 'new', messages: partitions.map((partition) => ({ value, partition })) });
    await producer.disconnect();
  }
  /** How many messages a service reads that begins where its own settings say, up to a last one in each partition. */
  async function readAll(groupId: string): Promise<number> {
    const consumer = kafka.consumer({ groupId });
    await consumer.connect();
    await consumer.subscribe({ topic: 'new', fromBeginning: false });
    const ends = new Set<number>();
    let read = 0;
    const placed = new Promise((resolve) => consumer.on(consumer.events.FETCH, resolve));
    const last = new Promise<void>((resolve) => {
      const eachMessage = async ({ partition, message }: { partition: number; message: { value: Buffer | null } }) => {
        if (message.value?.toString() === `end of ${groupId}`) ends.add(partition);
        else if (message.value?.toString() === 'x') read += 1;
        if (ends.size === 2) resolve();
      };
      void consumer.run({ eachMessage });
    });
    await placed;
    await produce(`end of ${groupId}`, [0, 1]);
    await last;
    await consumer.disconnect();
    return read;
  }

  it('[T54] a new group skips the backlog, unless its offsets are set before it starts', async () => {
    expect(await readAll('naive')).toBe(0);
    const { before, problems } = await action.check(host, input(['careful']));
    expect(problems).toEqual([]);
    await action.run(host, input(['careful']), before);
    expect(await offsets('careful')).toEqual(['0', '0']);
    expect(await readAll('careful')).toBe(4);
  });

  it('is taken back: the offsets of before, and no group where there was none', async () => {
    const groupNames = ['settled', 'fresh'];
    const { before } = await action.check(host, input(groupNames, 'high'));
    await action.run(host, input(groupNames, 'high'), before);
    const [first, second] = await offsets('settled');
    expect(Number(first)).toBeGreaterThanOrEqual(3);
    expect(Number(second)).toBeGreaterThanOrEqual(1);
    const ask = (direction: 'do' | 'undo') =>
      action.probe(host, input(groupNames, 'high'), { direction, receipt: before });
    expect(await ask('do')).toBe('applied');
    expect(await ask('undo')).toBe('not-applied');

    await action.undo?.(host, input(groupNames, 'high'), before);
    expect(await offsets('settled')).toEqual(['1', '-1']);
    expect(await groups()).not.toContain('fresh');
    expect(await ask('undo')).toBe('applied');
    // Once more, and after a run that never was: it looks first.
    await action.undo?.(host, input(groupNames, 'high'), before);
    expect(await ask('undo')).toBe('applied');
  });

  it('[T54] is refused while a consumer is there, and nothing is changed', async () => {
    const consumer = kafka.consumer({ groupId: 'busy' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'new' });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ eachMessage: async () => undefined });
    await joined;
    const { before, problems } = await action.check(host, input(['busy']));
    expect(problems.map(({ code }) => code)).toEqual(['SB-ACT-KAFKA-GROUP-BUSY']);
    expect(await codeOf(action.run(host, input(['busy']), before))).toBe('SB-ACT-KAFKA-GROUP-BUSY');
    await consumer.disconnect();
  });

  it('is not in its own way: a member that is left of a try that was cut off does not count', async () => {
    let isCut = false;
    const sockets: Socket[] = [];
    const left = new Kafka({
      ...{ brokers: broker.brokers, clientId: CLIENT_ID, logLevel: logLevel.NOTHING },
      socketFactory({ host, port, onConnect }) {
        const socket = connect({ host, port: isCut ? NOBODY : port }, onConnect);
        sockets.push(socket);
        return socket;
      },
    });
    const consumer = left.consumer({ groupId: 'left', sessionTimeout: 10_000 });
    await consumer.connect();
    await consumer.subscribe({ topic: 'new' });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ eachMessage: async () => undefined });
    await joined;
    isCut = true;
    for (const socket of sockets) socket.destroy(new Error('cut off by the test'));

    const { before, problems } = await action.check(host, input(['left']));
    expect(problems).toEqual([]);
    await action.run(host, input(['left']), before);
    expect(await offsets('left')).toEqual(['0', '0']);
    await consumer.disconnect();
  });

  it('waits for a broker that is away for a moment', async () => {
    const door = createServer((socket) => {
      const [, port] = String(broker.brokers).split(':');
      socket.pipe(connect(Number(port), '127.0.0.1')).pipe(socket);
    });
    await once(door.listen(0, '127.0.0.1'), 'listening');
    const { port } = door.address() as AddressInfo;
    await once(door.close(), 'close');
    const asked = action.check(host, { ...input(['patient']), in: { brokers: `127.0.0.1:${port}` } });
    setTimeout(() => door.listen(port, '127.0.0.1'), 2_000);
    expect((await asked).problems).toEqual([]);
    door.close();
  });

  it('[T59] makes no topic in passing', async () => {
    const missing = { ...input(['g']), topic: 'nowhere' };
    expect(await codeOf(action.run(host, missing, {}))).toBe('SB-ACT-KAFKA-TOPIC');
  });
});
