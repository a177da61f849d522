import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { commit as commitOffsets } from '@signalbox/protocol/kafka';
import {
  findKafka,
  JVM_OPTIONS,
  KAFKA_VERSIONS,
  type KafkaBroker,
  LocalHost,
  requireReal,
  startKafka,
  until,
} from '@signalbox/protocol/testing';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';

const found = await Promise.all(
  Object.values(KAFKA_VERSIONS).map(async (version) => ({ version, jars: await findKafka(version) })),
);
const real = found.flatMap(({ version, jars }) =>
  requireReal(`Kafka ${version} (Java and Maven)`, jars !== undefined) && jars ? [{ version, jars }] : [],
);

const ACCOUNTS = { full: 'all-of-it', lesser: 'some-of-it' };

describe.each(real)('on Kafka $version', ({ jars, version }) => {
  let host: LocalHost;
  let broker: KafkaBroker;
  let kafka: Kafka;

  beforeAll(async () => {
    host = await LocalHost.create();
    broker = await startKafka(jars, { 'auto.create.topics.enable': 'true' }, ACCOUNTS);
    kafka = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING });
  });
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  const here = () => ({ brokers: broker.brokers });
  const sample = async (probe: string, input: object) => {
    const known = probeByName.get(probe);
    if (!known) throw new Error(`no probe ${probe}`);
    return await known.sample(host, known.schema.parse(input));
  };

  async function withAdmin<T>(ask: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await ask(admin);
    } finally {
      await admin.disconnect();
    }
  }
  const makeTopic = (topic: string, numPartitions = 2, policy = 'delete') =>
    withAdmin((admin) =>
      admin.createTopics({
        topics: [{ topic, numPartitions, configEntries: [{ name: 'cleanup.policy', value: policy }] }],
        waitForLeaders: true,
      }),
    );
  async function produce(topic: string, partition: number, messages: number, transactionalId?: string): Promise<void> {
    const producer = kafka.producer(
      transactionalId ? { transactionalId, maxInFlightRequests: 1, idempotent: true } : {},
    );
    await producer.connect();
    const batch = { topic, messages: Array.from({ length: messages }, (_, i) => ({ value: String(i), partition })) };
    if (transactionalId) {
      const transaction = await producer.transaction();
      await transaction.send(batch);
      await transaction.commit();
    } else {
      await producer.send(batch);
    }
    await producer.disconnect();
  }
  const commit = (group: string, topic: string, offsets: string[]) =>
    withAdmin((admin) =>
      commitOffsets({ admin, kafka }, { group, topic, offsets: Object.fromEntries(offsets.entries()) }),
    );

  it('[T59] a login that lacks a right is told which, and asking changes nothing: no topic, no group, no offset', async () => {
    const state = () =>
      withAdmin(async (admin) => [(await admin.listTopics()).sort(), (await admin.listGroups()).groups]);
    await withAdmin((admin) =>
      admin.createTopics({ topics: [{ topic: 'paid' }, { topic: 'kept' }], waitForLeaders: true }),
    );
    const [TOPIC, GROUP, CLUSTER, READ, DESCRIBE, DESCRIBE_CONFIGS] = [2, 3, 4, 3, 8, 10];
    const grant = (user: keyof typeof ACCOUNTS, resourceType: number, resourceName: string, operation: number) => ({
      ...{ principal: `User:${user}`, host: '*', permissionType: 3, resourcePatternType: 3 },
      ...{ resourceType, resourceName, operation },
    });
    await withAdmin((admin) =>
      admin.createAcls({
        acl: [
          grant('full', CLUSTER, 'kafka-cluster', DESCRIBE),
          ...['paid', 'kept'].flatMap((name) => [READ, DESCRIBE_CONFIGS].map((op) => grant('full', TOPIC, name, op))),
          grant('full', GROUP, 'rtu', READ),
          grant('lesser', TOPIC, 'paid', DESCRIBE),
          grant('lesser', GROUP, 'rtu', DESCRIBE),
        ],
      }),
    );
    const before = await state();
    const ask = async (user: keyof typeof ACCOUNTS, topics: string[]) => {
      host.secrets.set('file:/user', user);
      host.secrets.set('file:/password', ACCOUNTS[user]);
      const login = { username: { $secret: 'file:/user' }, password: { $secret: 'file:/password' } };
      const wanted = {
        cluster: ['Describe'],
        topic: ['Describe', 'DescribeConfigs', 'Read'],
        group: ['Describe', 'Read'],
      };
      const given = { in: { brokers: broker.saslBrokers, mechanism: 'plain', ...login }, ...wanted };
      return await sample('kafka.permissions', { ...given, topics: topics.map((name) => ({ name, groups: ['rtu'] })) });
    };
    expect(await ask('full', ['paid', 'kept'])).toEqual({ missing: 0, held: 9 });
    expect(await ask('lesser', ['paid', 'kept'])).toMatchObject({
      missing: 7,
      lacking: [
        'Describe on the cluster, DescribeConfigs on topic paid, Read on topic paid, Describe on topic kept,',
        'DescribeConfigs on topic kept, Read on topic kept, Read on group rtu',
      ].join(' '),
    });
    // Who may see no topic is not told that it does not exist; who logs in nowhere may do everything here.
    expect(await ask('full', ['gone'])).toMatchObject({ lacking: expect.stringContaining('Describe on topic gone') });
    const open = { in: here(), topic: ['Write', 'Delete'], group: ['Read'] };
    expect(await sample('kafka.permissions', { ...open, topics: [{ name: 'paid', groups: ['rtu'] }] })).toEqual({
      ...{ missing: 0, held: 3 },
    });
    expect(await sample('kafka.permissions', { ...open, topics: [{ name: 'gone' }] })).toMatchObject({
      lacking: 'there is no topic gone',
    });
    // A broker makes the topic of offsets when it is asked for a group's own broker: not even that has happened.
    expect(await state()).toEqual(before);
    expect(before[0]).not.toContain('__consumer_offsets');
    await withAdmin((admin) => admin.describeGroups(['rtu']));
    expect((await state())[0]).toContain('__consumer_offsets');
  });

  it('[T50] lag is that of the partition that is furthest behind, as 64-bit numbers', async () => {
    await makeTopic('orders');
    await produce('orders', 0, 100);
    await produce('orders', 1, 3);
    await commit('reader', 'orders', ['100', '0']);
    // The naive look, high watermark of one partition against its commit, sees nothing.
    expect(await sample('kafka.lag', { in: here(), topic: 'orders', groups: ['reader'] })).toEqual({
      maxLag: 3,
      totalLag: 3,
      furthest: 'reader in partition 1',
      neverCommitted: 0,
    });
  });

  it('[T50] a group that never committed is behind by all that is there; retention makes no phantom lag', async () => {
    await makeTopic('kept', 1);
    await produce('kept', 0, 10);
    const never = await sample('kafka.lag', { in: here(), topic: 'kept', groups: ['nobody'] });
    expect(never).toMatchObject({ maxLag: 10, neverCommitted: 1 });
    await commit('slow', 'kept', ['2']);
    await withAdmin(async (admin) => {
      // The client deletes only where it has asked for the topic's leaders before.
      await admin.fetchTopicOffsets('kept');
      await admin.deleteTopicRecords({ topic: 'kept', partitions: [{ partition: 0, offset: '8' }] });
    });
    expect(await sample('kafka.lag', { in: here(), topic: 'kept', groups: ['slow'] })).toMatchObject({ maxLag: 2 });
  });

  it('[T53] a transaction leaves a control record that nobody reads, and it counts as lag', async () => {
    await makeTopic('paid', 1);
    await produce('paid', 0, 4, 'tx-1');
    // Four messages, five offsets. A client that commits behind the last message that it got stays at four.
    await commit('cashier', 'paid', ['4']);
    expect(await sample('kafka.watermarks', { in: here(), topic: 'paid' })).toMatchObject({ high: 5 });
    expect(await sample('kafka.lag', { in: here(), topic: 'paid', groups: ['cashier'] })).toMatchObject({ maxLag: 1 });
  });

  it('[T51] a gate changes nothing: offsets, groups and topics are the same after every probe', async () => {
    await makeTopic('watched');
    await produce('watched', 0, 5);
    await commit('quiet', 'watched', ['1', '-1']);
    const look = () =>
      withAdmin(async (admin) => ({
        topics: (await admin.listTopics()).sort(),
        groups: (await admin.listGroups()).groups.map(({ groupId }) => groupId).sort(),
        offsets: await Promise.all(
          ['quiet', 'unborn'].map((groupId) => admin.fetchOffsets({ groupId, topics: ['watched'] })),
        ),
        marks: await admin.fetchTopicOffsets('watched'),
      }));
    const before = await look();
    const topics = [{ name: 'watched', groups: ['quiet', 'unborn'] }];
    const both = { left: here(), right: here() };
    await sample('kafka.watermarks', { in: here(), topic: 'watched' });
    await sample('kafka.lag', { in: here(), topic: 'watched', groups: ['quiet', 'unborn'] });
    await sample('kafka.groups', { in: here(), topics });
    await sample('kafka.topicsMatch', { ...both, topics: [...topics, { name: 'not-there' }] });
    expect(await look()).toEqual(before);

    // What the client's own convenience does: it writes what it resolves.
    await withAdmin((admin) => admin.fetchOffsets({ groupId: 'quiet', topics: ['watched'], resolveOffsets: true }));
    expect(await look()).not.toEqual(before);
  });

  it('[T59] a topic that is missing is an error, and is not created by asking', async () => {
    await expect(sample('kafka.lag', { in: here(), topic: 'nowhere', groups: ['g'] })).rejects.toMatchObject({
      code: 'SB-PROBE-KAFKA-TOPIC',
    });
    await expect(sample('kafka.watermarks', { in: here(), topic: 'nowhere' })).rejects.toMatchObject({
      code: 'SB-PROBE-KAFKA-TOPIC',
    });
    expect(await withAdmin((admin) => admin.listTopics())).not.toContain('nowhere');
  });

  it('[T56] a producer that nobody listed moves the watermark, whoever it is', async () => {
    await makeTopic('intake', 1);
    const first = await sample('kafka.watermarks', { in: here(), topic: 'intake' });
    expect(await sample('kafka.watermarks', { in: here(), topic: 'intake' })).toEqual(first);
    await produce('intake', 0, 1);
    expect(await sample('kafka.watermarks', { in: here(), topic: 'intake' })).toMatchObject({ high: 1 });
  });

  it('[T52] members are counted; a consumer with partitions of its own choice shows only in its commits', async () => {
    await makeTopic('views', 1);
    await produce('views', 0, 5);
    const topics = [{ name: 'views', groups: ['viewer', 'loner'] }];
    const consumer = kafka.consumer({ groupId: 'viewer' });
    await consumer.connect();
    await consumer.subscribe({ topic: 'views', fromBeginning: true });
    await consumer.run({ eachMessage: async () => undefined });
    await until(
      'the consumer is a member',
      async () => (await sample('kafka.groups', { in: here(), topics })).members === 1,
    );
    expect(await sample('kafka.groups', { in: here(), topics })).toMatchObject({ busy: 'viewer 1' });
    await consumer.disconnect();
    await until(
      'the consumer has left',
      async () => (await sample('kafka.groups', { in: here(), topics })).members === 0,
    );

    const before = await sample('kafka.groups', { in: here(), topics });
    await commit('loner', 'views', ['3']);
    const after = await sample('kafka.groups', { in: here(), topics });
    expect(after.members).toBe(0);
    expect(after.committed).not.toEqual(before.committed);
  });

  it.runIf(version === KAFKA_VERSIONS.new)(
    '[T52] a group of KIP-848 reads as Dead without members: the probe does not say that it has none',
    async () => {
      await makeTopic('modern', 1);
      await produce('modern', 0, 1);
      const config = await host.write('consumer.properties', 'group.protocol=consumer\ngroup.id=modern-reader\n');
      const argv = [
        'org.apache.kafka.tools.consumer.ConsoleConsumer',
        '--bootstrap-server',
        broker.brokers.join(),
        '--topic',
        'modern',
      ];
      const java = spawn('java', [
        ...JVM_OPTIONS,
        '-cp',
        broker.classPath,
        ...argv,
        '--from-beginning',
        '--consumer.config',
        config,
      ]);
      try {
        await once(java.stdout, 'data');
        const naive = await withAdmin((admin) => admin.describeGroups(['modern-reader']));
        expect(naive.groups[0]).toMatchObject({ state: 'Dead', members: [] });
        const seen = await sample('kafka.groups', {
          in: here(),
          topics: [{ name: 'modern', groups: ['modern-reader'] }],
        });
        expect(seen).toMatchObject({ unseen: 'modern-reader' });
        expect(seen.members).toBeUndefined();
      } finally {
        java.kill('SIGKILL');
      }
    },
  );

  it('[T61] [T62] topics are compared: partitions, cleanup.policy, and what is compacted', async () => {
    await makeTopic('state', 3, 'compact');
    const both = { left: here(), right: here() };
    const same = await sample('kafka.topicsMatch', { ...both, topics: [{ name: 'orders' }] });
    expect(same).toEqual({ missing: 0, partitionsDiffer: 0, policyDiffers: 0, compacted: 0 });
    const compacted = await sample('kafka.topicsMatch', { ...both, topics: [{ name: 'state' }, { name: 'gone' }] });
    expect(compacted).toMatchObject({
      missing: 1,
      compacted: 1,
      differences: expect.stringContaining('state is compacted'),
    });
  });

  it('a cluster that does not answer is a missing sample with a code', async () => {
    await expect(sample('kafka.lag', { in: { brokers: '127.0.0.1:1' }, topic: 't', groups: [] })).rejects.toMatchObject(
      {
        code: 'SB-PROBE-KAFKA',
      },
    );
  });
});
