import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

/** The versions that tests know: the newest line that kafkajs was made for, and the one after it. */
export const KAFKA_VERSIONS = { old: '3.9.1', new: '4.1.0' } as const;

export interface KafkaBroker extends AsyncDisposable {
  readonly brokers: string[];
  /** Where those of `accounts` log in (SASL PLAIN); empty without any. */
  readonly saslBrokers: string[];
  /** The programs of this Kafka, for a client of its own kind: `java -cp CLASSPATH CLASS`. */
  readonly classPath: string;
  /** kill -9. */
  kill(): Promise<void>;
  /** On the same port and data. */
  start(): Promise<void>;
}

/** On a machine that does much else a JVM that takes 5 s takes a minute. */
const UP_WITHIN_MS = 180_000;

/** A JVM for a test: small, and up fast rather than fast later. */
export const JVM_OPTIONS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/**
 * For tests: the folder of Kafka's own jar files. They come from Maven Central once and stay in the user's cache.
 * Undefined where there is no Java or Maven, or Maven cannot reach anything.
 */
export function findKafka(version: string): Promise<string | undefined> {
  return findJars(`kafka-${version}`, { version, artifacts: ['kafka_2.13', 'kafka-tools'] });
}

/** Kafka's own source of files for Kafka Connect, which comes apart from the rest and needs it. */
export function findFileConnector(version: string): Promise<string | undefined> {
  return findJars(`kafka-connect-file-${version}`, { version, artifacts: ['connect-file'], alone: true });
}

interface Jars {
  readonly version: string;
  readonly artifacts: readonly string[];
  /** Without what they depend on. */
  readonly alone?: boolean;
}

async function findJars(name: string, wanted: Jars): Promise<string | undefined> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'signalbox');
  const jars = join(cache, name);
  const there = await access(jars).then(
    () => true,
    () => false,
  );
  try {
    await run('java', ['-version']);
    if (!there) await fetchJars(wanted, { cache, jars });
    return jars;
  } catch {
    return undefined;
  }
}

async function fetchJars(
  { version, artifacts: ids, alone = false }: Jars,
  { cache, jars }: { cache: string; jars: string },
): Promise<void> {
  console.warn(`fetching ${ids.join(' and ')} ${version} with Maven into ${jars} (at most 46 MB, once)`);
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(`${jars}.`);
  try {
    const artifacts = ids.map(
      (id) =>
        `<dependency><groupId>org.apache.kafka</groupId><artifactId>${id}</artifactId><version>${version}</version></dependency>`,
    );
    const coordinates = '<groupId>signalbox</groupId><artifactId>kafka</artifactId><version>1</version>';
    const pom = `<project><modelVersion>4.0.0</modelVersion>${coordinates}<packaging>pom</packaging><dependencies>${artifacts.join('')}</dependencies></project>`;
    await writeFile(join(folder, 'pom.xml'), pom);
    const goal = ['dependency:copy-dependencies', '-DoutputDirectory=jars', `-DexcludeTransitive=${alone}`];
    await run('mvn', ['-q', '-B', ...goal], { cwd: folder });
    // Two tests may fetch at once; the first one's folder stays.
    await rename(join(folder, 'jars'), jars).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * One real broker on loopback that is its own controller (KRaft), in a folder of its own that ends with it. With
 * `accounts`, names with passwords, it has ACLs: who logs in may do what these say, who does not may do everything.
 */
export async function startKafka(
  jars: string,
  settings: Readonly<Record<string, string>> = {},
  accounts: Readonly<Record<string, string>> = {},
): Promise<KafkaBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-kafka-'));
  const classPath = join(jars, '*');
  const [port, controllerPort] = await freeLoopbackPorts();
  const [saslPort] = await freeLoopbackPorts();
  const file = join(dir, 'server.properties');
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.num.partitions': '4',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...(Object.keys(accounts).length > 0 && withAccounts(accounts, [port, controllerPort, saslPort])),
    ...settings,
  };
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
  await writeFile(file, `${lines.join('\n')}\n`);
  const java = [...JVM_OPTIONS, '-cp', classPath];
  await run('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qk', '-c', file]);

  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const start = async () => {
    const log = await open(join(dir, 'server.log'), 'a');
    const started = spawn('java', [...java, 'kafka.Kafka', file], { stdio: ['ignore', log.fd, log.fd] });
    await log.close();
    child = started;
    const up = async () => {
      if (started.exitCode !== null) throw new Error(`Kafka ended at once with ${started.exitCode}; see ${dir}`);
      return await answers(port);
    };
    await until('Kafka takes connections', up, { timeoutMs: UP_WITHIN_MS });
  };
  await start().catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  return {
    brokers: [`127.0.0.1:${port}`],
    saslBrokers: Object.keys(accounts).length > 0 ? [`127.0.0.1:${saslPort}`] : [],
    classPath,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A second listener that wants a login, and ACLs. */
function withAccounts(
  accounts: Readonly<Record<string, string>>,
  [port, controllerPort, saslPort]: readonly [number, number, number],
): Record<string, string> {
  const users = Object.entries(accounts).map(([name, password]) => `user_${name}="${password}"`);
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  return {
    listeners: `PLAINTEXT://127.0.0.1:${port},SASL://127.0.0.1:${saslPort},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},SASL://127.0.0.1:${saslPort}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT',
    'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl.plain.sasl.jaas.config': `${module} ${users.join(' ')};`,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  };
}

export async function freeLoopbackPorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(async (server) => {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const address = server.address();
      return typeof address === 'object' && address ? address.port : 0;
    }),
  );
  for (const server of servers) server.close();
  return [ports[0] ?? 0, ports[1] ?? 0];
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
