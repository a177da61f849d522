import { once } from 'node:events';
import { createServer } from 'node:net';
import { requireReal } from '@signalbox/actions/testing';
import {
  findFileConnector,
  findKafka,
  freePorts,
  KAFKA_VERSIONS,
  type KafkaBroker,
  type KafkaConnect,
  startKafka,
  startKafkaConnect,
  until,
} from '@signalbox/protocol/testing';
import { Kafka, logLevel } from 'kafkajs';
import { MongoClient, Timestamp } from 'mongodb';
import { onTestFinished } from 'vitest';
import type { Janitor } from '../lab/janitor.ts';
import type { FastDataWorld } from './fast-data-world.ts';
import type { ReplicaSet } from './mongo/replica-set.ts';

const [jars, fileConnector] = await Promise.all([findKafka(KAFKA_VERSIONS.old), findFileConnector(KAFKA_VERSIONS.old)]);
export const hasKafka = requireReal(
  `Kafka ${KAFKA_VERSIONS.old} (Java and Maven)`,
  jars !== undefined && fileConnector !== undefined,
);

export interface Brokers {
  readonly old: KafkaBroker;
  readonly new: KafkaBroker;
  /** At the old one. */
  readonly connect: KafkaConnect;
}

/** An old and a new cluster, of one broker each, and a Kafka Connect without connectors. */
export async function startBrokers(janitor: Janitor): Promise<Brokers> {
  const start = async () => {
    const broker = await startKafka(jars ?? '', { 'auto.create.topics.enable': 'true' });
    janitor.add('broker', async () => await broker[Symbol.asyncDispose]());
    return broker;
  };
  const [from, to] = await Promise.all([start(), start()]);
  const connect = await startKafkaConnect(from, { fileConnector: fileConnector ?? '' });
  janitor.add('Kafka Connect', async () => await connect[Symbol.asyncDispose]());
  return { old: from, new: to, connect };
}

async function withAdmin<T>(broker: KafkaBroker, ask: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await ask(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Resolves when the broker answers for them: a leader that was chosen a moment ago may not know of it yet. */
const makeTopics = (broker: KafkaBroker, ...topics: string[]) =>
  withAdmin(broker, async (admin) => {
    await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 2 })), waitForLeaders: true });
    const led = async (topic: string) => (await admin.fetchTopicOffsets(topic).catch(() => [])).length > 0;
    await until('the topics to be led', async () => (await Promise.all(topics.map(led))).every(Boolean));
  });

/** What a site has that begins: a database, an account with one right too few, a Deployment, and topics at one side only. */
export async function furnishPreflight(world: FastDataWorld, brokers: Brokers): Promise<void> {
  const { source, destination } = world.stage;
  await source.root.db('crm').collection('customers').insertOne({ n: 1 });
  const resource = { db: 'crm', collection: '' };
  const admin = destination.root.db('admin');
  await admin.command({
    createRole: 'crm-services',
    privileges: [{ resource, actions: ['find', 'insert', 'update'] }],
    roles: [],
  });
  await admin.command({ createUser: 'lesser', pwd: 'a-little', roles: ['crm-services'] });
  await Promise.all([makeTopics(brokers.old, 'orders', 'projections'), makeTopics(brokers.new, 'orders')]);
  const argv = [process.execPath, '-e', 'process.stdout.write("ready\\n"); setInterval(() => {}, 1e6)'] as const;
  world.cluster.create({ name: 'etl', replicas: 1, env: [], argv });
  await until('the Deployment to be there', () => world.atWork({ etl: 1 }));
}

/** Where nobody listens yet; `open` has somebody listen there until the test is over. */
export async function closedPort(): Promise<{ address: string; open: () => Promise<void> }> {
  const [port = 0] = await freePorts(1);
  const open = async () => {
    const server = createServer((socket) => socket.end());
    await once(server.listen(port, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
  };
  return { address: `127.0.0.1:${port}`, open };
}

/** All that a look could have changed, by the servers' own word: see `sameAs`. */
export async function stateOf(world: FastDataWorld, brokers: Brokers) {
  const { source, destination } = world.stage;
  return {
    kafka: await Promise.all([brokers.old, brokers.new].map(stateOfKafka)),
    accounts: await Promise.all([source, destination].map(stateOfMongo)),
    deployments: JSON.stringify([...world.cluster.deployments.values()].map(({ metadata, spec }) => [metadata, spec])),
  };
}

const stateOfKafka = (broker: KafkaBroker) =>
  withAdmin(broker, async (admin) => {
    const topics = (await admin.listTopics()).sort();
    const marks = await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)));
    return { topics, marks, groups: (await admin.listGroups()).groups };
  });

async function stateOfMongo({ root }: ReplicaSet) {
  const admin = root.db('admin');
  const { databases } = await admin.command({ listDatabases: 1, nameOnly: true });
  const { users } = await admin.command({ usersInfo: { forAllDBs: true } });
  const { roles } = await admin.command({ rolesInfo: 1, showPrivileges: true });
  const { ttlMonitorEnabled } = await admin.command({ getParameter: 1, ttlMonitorEnabled: 1 });
  return { databases, users, roles, ttlMonitorEnabled };
}

/** Writes in the oplog since a position; what the server keeps for itself in `config` left out. */
export async function writesSince({ root }: ReplicaSet, since: Timestamp) {
  const oplog = root.db('local').collection('oplog.rs');
  return await oplog.find({ ts: { $gt: since }, op: { $ne: 'n' }, ns: { $not: /^config\./ } }).toArray();
}

export async function lastPosition({ root }: ReplicaSet): Promise<Timestamp> {
  const last = await root
    .db('local')
    .collection('oplog.rs')
    .findOne({}, { sort: { $natural: -1 } });
  return last?.ts ?? new Timestamp(0n);
}

/** Whether the account of a URI can log in: the naive look, which sees no missing right. */
export async function logsIn(uri: string): Promise<boolean> {
  const client = new MongoClient(uri);
  try {
    return (await client.db('admin').command({ ping: 1 })).ok === 1;
  } finally {
    await client.close();
  }
}
