import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@signalbox/protocol';
import type { MeshUsers } from './accounts.ts';
import { busError } from './codes.ts';
import { findServerBinary } from './server-binary.ts';
import { serverConfig } from './server-config.ts';
import { lastLines, readPorts, type ServerPorts, untilFound } from './server-ready.ts';

export interface EmbeddedServerOptions {
  /** Owns configuration, log and store; starting again with the same folder and port continues where it was. */
  dir: string;
  mesh: string;
  users: MeshUsers;
  /** A fixed port; left out: a free one. */
  port?: number;
  /** Serves `/healthz`. Default true. */
  health?: boolean;
  maxStorageBytes?: number;
  /** Path of a nats-server; left out: see findServerBinary. */
  binary?: string;
  /** Another way of telling the server who may do what: takes the configuration, and gives what is written. */
  adapt?: (config: JsonObject) => JsonObject;
  /** The server outlives this process, which then has no more to do with it than its pid. */
  detached?: boolean;
  /** Default 10 s. */
  startTimeoutMs?: number;
}

export interface EmbeddedServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly version: string;
  readonly dir: string;
  /** `http://127.0.0.1:<port>/healthz`, when it is served. */
  readonly healthUrl: string | undefined;
  /** Resolves when the process has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** Takes over a changed list of users; those who stay are not disturbed, those who left are cut off. */
  reload(users: MeshUsers): Promise<void>;
  /** SIGTERM, and SIGKILL after 5 s. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a real nats-server with JetStream and the accounts of a mesh on loopback, and resolves when it takes connections.
 * Unless it is detached it is ended with this process (a SIGKILL of this process excepted).
 * @throws SB-BUS-SERVER-MISSING, SB-BUS-SERVER-TOO-OLD, SB-BUS-SERVER-START.
 */
export async function startServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const binary = await findServerBinary(options.binary);
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const configFile = await writeConfig(options, options.users);
  const logFile = join(options.dir, LOG_FILE);
  const { child, ended } = await run([binary.path, '-c', configFile], logFile, options.detached ?? false);
  const { pid, ports } = await ready({ child, ended, binary: binary.path, logFile, options });

  return {
    url: `nats://127.0.0.1:${ports.nats}`,
    port: ports.nats,
    pid,
    version: binary.version,
    dir: options.dir,
    healthUrl: ports.monitoring === undefined ? undefined : `http://127.0.0.1:${ports.monitoring}/healthz`,
    ended,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.ref();
      child.kill('SIGTERM');
      const stubborn = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(stubborn);
    },
    async reload(users) {
      await writeConfig(options, users);
      await signalReload(child, logFile);
    },
  };
}

const LOG_FILE = 'nats-server.log';

/** Written beside and renamed, so that a reload never reads half a file. Public keys only, and still nobody else's business. */
async function writeConfig({ dir, mesh, ...options }: EmbeddedServerOptions, users: MeshUsers): Promise<string> {
  const config = serverConfig({
    mesh,
    users,
    storeDir: join(dir, 'store'),
    portsDir: dir,
    // The same at each reload, which refuses a changed port, also one that was -1 and stands for the one that was taken.
    port: options.port ?? -1,
    ...(options.health === false ? {} : { httpPort: -1 }),
    ...(options.maxStorageBytes === undefined ? {} : { maxStorageBytes: options.maxStorageBytes }),
  });
  const file = join(dir, 'nats-server.json');
  const written = options.adapt?.(config) ?? config;
  await writeFile(`${file}.new`, JSON.stringify(written, null, 2), { mode: 0o600 });
  await rename(`${file}.new`, file);
  return file;
}

/** The log goes to a file and not through a pipe: a detached server must not die of a reader that is gone. */
async function run([program, ...args]: [string, ...string[]], logFile: string, detached: boolean) {
  const log = await open(logFile, 'a', 0o600);
  const child = spawn(program, args, { stdio: ['ignore', log.fd, log.fd], detached });
  const endWithUs = () => child.kill('SIGKILL');
  if (detached) child.unref();
  else process.once('exit', endWithUs);
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      process.off('exit', endWithUs);
      resolve();
    };
    child.once('exit', end).once('error', end);
  });
  await log.close();
  return { child, ended };
}

interface Starting {
  child: ChildProcess;
  ended: Promise<void>;
  binary: string;
  logFile: string;
  options: EmbeddedServerOptions;
}

async function ready({
  child,
  ended,
  binary,
  logFile,
  options,
}: Starting): Promise<{ pid: number; ports: ServerPorts }> {
  const giveUp = new AbortController();
  const timeoutMs = options.startTimeoutMs ?? 10_000;
  const timer = setTimeout(() => giveUp.abort(), timeoutMs);
  ended.then(() => giveUp.abort());
  const { pid } = child;
  try {
    const ports =
      pid === undefined ? undefined : await untilFound(() => readPorts(options.dir, binary, pid), giveUp.signal);
    if (pid !== undefined && ports) return { pid, ports };
  } finally {
    clearTimeout(timer);
  }
  const how = child.exitCode === null ? `was not ready after ${timeoutMs} ms` : `ended with code ${child.exitCode}`;
  child.kill('SIGKILL');
  await ended;
  throw busError('SB-BUS-SERVER-START', `nats-server ${how}; its last lines:\n${await lastLines(logFile, 8)}`);
}

const RELOADED = 'Reloaded server configuration';
const NOT_RELOADED = 'Failed to reload server configuration';

async function signalReload(child: ChildProcess, logFile: string): Promise<void> {
  const before = (await readFile(logFile, 'utf8')).length;
  const look = async () => {
    const fresh = (await readFile(logFile, 'utf8')).slice(before);
    return fresh.includes(RELOADED) || fresh.includes(NOT_RELOADED) ? fresh : undefined;
  };
  const said = untilFound(look, AbortSignal.timeout(10_000));
  child.kill('SIGHUP');
  if (!(await said)?.includes(RELOADED)) {
    throw busError('SB-BUS-SERVER-START', `nats-server did not reload:\n${await lastLines(logFile, 8)}`);
  }
}
