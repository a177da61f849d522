import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { freeLoopbackPorts, JVM_OPTIONS, type KafkaBroker } from './real-kafka.ts';
import { until } from './until.ts';

const State = z.object({ state: z.string() });
const Status = z.object({ connector: State, tasks: z.array(State) });

export interface KafkaConnect extends AsyncDisposable {
  /** Of its REST interface. */
  readonly url: string;
  /** kill -9. */
  kill(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
  /** A connector of lines in a file; each line is a message. Its position in the file is what Connect keeps. */
  addFileSource(source: FileSource): Promise<void>;
  /** A connector with its position, wherever that has got to. */
  remove(connector: string): Promise<void>;
  /** `RUNNING`, `STOPPED`, ... of a connector, and of its task, which may run on for a moment after it was stopped. */
  status(connector: string): Promise<{ state: string; task: string | undefined }>;
}

export interface FileSource {
  readonly name: string;
  readonly file: string;
  readonly topic: string;
  /** Default RUNNING. */
  readonly state?: 'RUNNING' | 'STOPPED';
}

/**
 * One real worker of Kafka Connect in distributed mode, which keeps its positions in a topic of the broker [T60].
 * `fileConnector` is the folder of `findFileConnector`; `name` sets it apart from another one at the same broker.
 */
export async function startKafkaConnect(
  broker: KafkaBroker,
  { fileConnector, name = 'connect' }: { fileConnector: string; name?: string },
): Promise<KafkaConnect> {
  const dir = await mkdtemp(join(tmpdir(), 'signalbox-connect-'));
  const [port] = await freeLoopbackPorts();
  const url = `http://127.0.0.1:${port}`;
  const file = join(dir, 'worker.properties');
  const properties = {
    'bootstrap.servers': broker.brokers.join(),
    'group.id': name,
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'offset.storage.topic': `${name}-offsets`,
    'offset.storage.partitions': '1',
    'offset.storage.replication.factor': '1',
    'offset.flush.interval.ms': '1000',
    // What it was not answered for before its broker died is not written a second time.
    'producer.enable.idempotence': 'true',
    'config.storage.topic': `${name}-configs`,
    'config.storage.replication.factor': '1',
    'status.storage.topic': `${name}-status`,
    'status.storage.partitions': '1',
    'status.storage.replication.factor': '1',
    listeners: url,
    'plugin.discovery': 'service_load',
    'scheduled.rebalance.max.delay.ms': '0',
  };
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
  await writeFile(file, `${lines.join('\n')}\n`);

  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { 'content-type': 'application/json' } });
  const start = async () => {
    const log = await open(join(dir, 'worker.log'), 'a');
    const classPath = [broker.classPath, join(fileConnector, '*')].join(delimiter);
    const argv = [...JVM_OPTIONS, '-cp', classPath, 'org.apache.kafka.connect.cli.ConnectDistributed', file];
    const started = spawn('java', argv, { stdio: ['ignore', log.fd, log.fd] });
    await log.close();
    child = started;
    const up = async () => {
      if (started.exitCode !== null) throw new Error(`Kafka Connect ended at once; see ${dir}`);
      // Only a worker that has joined its group and read its topics knows its connectors.
      const { status } = await ask('/connectors').catch(() => ({ status: 0 }));
      return status === 200;
    };
    await until('Kafka Connect answers', up, { timeoutMs: 120_000 });
  };
  const status = async (connector: string) => {
    const { connector: whole, tasks } = Status.parse(await (await ask(`/connectors/${connector}/status`)).json());
    return { state: whole.state, task: tasks[0]?.state };
  };
  await start().catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  return {
    url,
    kill,
    start,
    status,
    async addFileSource({ name, file: path, topic, state: initial = 'RUNNING' }) {
      const config = {
        'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
        'tasks.max': '1',
        file: path,
        topic,
      };
      const body = JSON.stringify({ name, config, initial_state: initial });
      const made = await ask('/connectors', { method: 'POST', body });
      if (made.status !== 201) throw new Error(`connector ${name} was refused with ${made.status}; see ${dir}`);
      const there = async () => {
        const { state, task } = await status(name).catch(() => ({ state: 'UNKNOWN', task: undefined }));
        return state === initial && task === (initial === 'RUNNING' ? 'RUNNING' : undefined);
      };
      await until(`${name} is ${initial}`, there, { timeoutMs: 60_000 });
    },
    async remove(connector) {
      // Each is refused while a worker that was cut off from its broker joins again, and positions until the task has ended.
      const done = async (path: string, method: string) => {
        const { status } = await ask(`/connectors/${connector}${path}`, { method }).catch(() => ({ status: 0 }));
        return [200, 202, 204, 404].includes(status);
      };
      for (const [path, method] of [
        ['/stop', 'PUT'],
        ['/offsets', 'DELETE'],
        ['', 'DELETE'],
      ] as const) {
        await until(`${method} of ${connector}${path}`, () => done(path, method), { timeoutMs: 60_000 });
      }
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
