import { connect } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { findKafka, KAFKA_VERSIONS, startKafka } from '../testing/index.ts';
import { commit } from './commit.ts';
import { committedOf } from './session.ts';

const OFFSET_COMMIT = 8;
const TOPIC = 'new';

describe.each(['old', 'new'] as const)('commit, with Kafka of the %s line', async (line) => {
  const jars = await findKafka(KAFKA_VERSIONS[line]);

  it.runIf(jars !== undefined)(
    'says so only when it was done, also when the connection is lost in that moment',
    async () => {
      const broker = await startKafka(jars ?? '');
      const cut = cutting(2);
      const kafka = new Kafka({
        brokers: broker.brokers,
        logLevel: logLevel.NOTHING,
        socketFactory: cut.socketFactory,
      });
      const admin = kafka.admin();
      try {
        await admin.connect();
        await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 3 }], waitForLeaders: true });
        await commit({ admin, kafka }, { group: 'g', topic: TOPIC, offsets: { 0: '0', 1: '0', 2: '0' } });
        const offsets = (await committedOf(admin, 'g', TOPIC)).map(({ offset }) => offset);
        expect(offsets).toEqual(['0', '0', '0']);
        expect(cut.commits).toBeGreaterThan(3);
      } finally {
        await admin.disconnect();
        await broker[Symbol.asyncDispose]();
      }
    },
  );
});

/** Connections of which one is cut off with a certain commit, once. */
function cutting(nth: number) {
  const seen = {
    commits: 0,
    socketFactory: ({ host, port, onConnect }: { host: string; port: number; onConnect: () => void }) => {
      const socket = connect({ host, port }, onConnect);
      const write = socket.write.bind(socket) as (data: Buffer, ...more: unknown[]) => boolean;
      socket.write = (data: Buffer, ...more: unknown[]) => {
        if (data.readInt16BE(4) !== OFFSET_COMMIT || ++seen.commits !== nth) return write(data, ...more);
        socket.destroy(new Error('reset by the test'));
        return false;
      };
      return socket;
    },
  };
  return seen;
}
