import { appendFile } from 'node:fs/promises';
import {
  findFileConnector,
  findKafka,
  KAFKA_VERSIONS,
  type KafkaBroker,
  type KafkaConnect,
  startKafka,
  startKafkaConnect,
  until,
} from '@signalbox/protocol/testing';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, LocalHost, requireReal } from '../testing.ts';
import { connectOffsetsCopy as action } from './offsets-copy.ts';

const version = KAFKA_VERSIONS.old;
const [jars, files] = [await findKafka(version), await findFileConnector(version)];
const real = requireReal(`Kafka Connect ${version} (Java and Maven)`, jars !== undefined && files !== undefined);

describe.runIf(real)('connect.offsetsCopy', () => {
  let host: LocalHost;
  let file: string;
  let broker: KafkaBroker;
  /** Two of them with positions of their own; that they write to one cluster makes no difference here. */
  const connects: KafkaConnect[] = [];

  beforeAll(async () => {
    host = await LocalHost.create();
    file = await host.write('orders', '1\n2\n3\n');
    broker = await startKafka(jars ?? '', { 'auto.create.topics.enable': 'true' });
    for (const [name, state] of [
      ['old', 'RUNNING'],
      ['new', 'STOPPED'],
    ] as const) {
      const connect = await startKafkaConnect(broker, { fileConnector: files ?? '', name });
      connects.push(connect);
      await connect.addFileSource({ name: 'cdc', file, topic: 'orders', state });
    }
  }, 180_000);
  afterAll(async () => {
    for (const connect of connects) await connect[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  const at = (i: 0 | 1) => {
    const found = connects[i];
    if (!found) throw new Error('no such place');
    return found;
  };
  const input = () => ({ from: at(0).url, to: at(1).url, connector: 'cdc' });
  const tell = (i: 0 | 1, what: 'stop' | 'resume') => fetch(`${at(i).url}/connectors/cdc/${what}`, { method: 'PUT' });
  /** Everything that CDC has written, once it has written so many. */
  async function written(count: number): Promise<string[]> {
    const consumer = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING }).consumer({
      groupId: `look-${Math.random()}`,
    });
    const lines: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: 'orders', fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void lines.push(String(message.value)) });
    await until(`${count} messages`, () => lines.length >= count);
    await consumer.disconnect();
    return lines;
  }
  const stopped = async (i: 0 | 1) => {
    await tell(i, 'stop');
    await until('the connector has no task', async () => (await at(i).status('cdc')).task === undefined);
  };

  it('[T60] copies nothing while the source still writes, and says so in the plan where it does at the new place', async () => {
    expect(await written(3)).toEqual(['1', '2', '3']);
    const { before, note, problems } = await action.check(host, input());
    expect([note, problems]).toEqual([expect.stringContaining('RUNNING'), []]);
    expect(await codeOf(action.run(host, input(), before))).toBe('SB-ACT-CONNECT-RUNNING');
    const back = { from: input().to, to: input().from, connector: 'cdc' };
    expect((await action.check(host, back)).problems.map(({ code }) => code)).toEqual(['SB-ACT-CONNECT-RUNNING']);
    const unknown = { ...input(), connector: 'nobody' };
    expect(await codeOf(Promise.resolve(action.check(host, unknown)))).toBe('SB-ACT-CONNECT');
  });

  it('[T60] carries the position, can take it back, and CDC then goes on where it was', async () => {
    await stopped(0);
    const { before } = await action.check(host, input());
    const ask = (direction: 'do' | 'undo') => action.probe(host, input(), { direction, receipt: before });
    expect([await ask('do'), await ask('undo')]).toEqual(['not-applied', 'applied']);
    await action.run(host, input(), before);
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);

    expect(await action.undo?.(host, input(), before)).toEqual({ undone: true });
    expect(await action.undo?.(host, input(), before)).toEqual({ undone: false });
    expect(await ask('do')).toBe('not-applied');

    await action.run(host, input(), before);
    await appendFile(file, '4\n');
    await tell(1, 'resume');
    expect(await written(4)).toEqual(['1', '2', '3', '4']);
  });

  it('[T60] the naive way, a connector at the new place and nothing carried, copies everything again', async () => {
    await at(1).addFileSource({ name: 'naive', file, topic: 'orders' });
    expect(await written(8)).toEqual(['1', '2', '3', '4', '1', '2', '3', '4']);
  });

  it('does not round a position, and knows one in another order for the same', async () => {
    const { samePositions } = await import('./rest.ts');
    const one = '{"offsets":[{"partition":{"a":"1","b":2},"offset":{"lsn":9007199254740993}}]}';
    const other = '{"offsets":[{"offset":{"lsn":9007199254740993},"partition":{"b":2,"a":"1"}}]}';
    const next = one.replace('993', '992');
    expect(samePositions({ text: one, parts: 1 }, { text: other, parts: 1 })).toBe(true);
    expect(samePositions({ text: one, parts: 1 }, { text: next, parts: 1 })).toBe(false);
  });
});
