import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyPair, type KeyPair } from '@signalbox/protocol/crypto';
import type { MeshUsers } from './accounts.ts';
import { type EmbeddedServer, type EmbeddedServerOptions, startServer } from './embedded-server.ts';

/** The keys of everybody in a mesh on one machine, by name. */
export interface MeshKeys {
  coordinator: KeyPair;
  agents: Record<string, KeyPair>;
  operators: Record<string, KeyPair>;
  monitor: KeyPair;
}

export interface LocalMeshOptions
  extends Pick<EmbeddedServerOptions, 'port' | 'binary' | 'maxStorageBytes' | 'detached' | 'startTimeoutMs'> {
  mesh: string;
  agents: readonly string[];
  /** Default: one, `operator`. */
  operators?: readonly string[];
  /** Keys of an earlier start; those that are missing are made. */
  keys?: MeshKeys;
  /** Left out: a temporary folder, removed by `stop()`. */
  dir?: string;
}

export interface LocalMesh {
  readonly mesh: string;
  readonly url: string;
  readonly dir: string;
  readonly keys: Readonly<MeshKeys>;
  /** The server that runs now; another one after `restart()`. */
  readonly server: EmbeddedServer;
  /** @throws Error when nobody of that name is enrolled. */
  agentKey(name: string): KeyPair;
  /** Left out: the first operator. @throws Error when nobody of that name is enrolled. */
  operatorKey(name?: string): KeyPair;
  /** Gives a further host its key and makes the running server accept it. */
  enrol(host: string): Promise<KeyPair>;
  /** Ends the server if it still runs, and starts it again on the same port and store. */
  restart(): Promise<void>;
  /** Ends the server, and removes the folder if it was made here. Idempotent. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The NATS of a whole mesh on one machine: keys, accounts, a real server. For `signalbox dev`, the demo and tests.
 * @throws as startServer.
 */
export async function startMesh({
  mesh,
  agents,
  operators = ['operator'],
  ...options
}: LocalMeshOptions): Promise<LocalMesh> {
  const keys = completeKeys(options.keys, agents, operators);
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'signalbox-nats-')));
  const start = () => startServer({ ...options, dir, mesh, users: meshUsers(keys) });
  const removeDir = async () => {
    if (options.dir === undefined) await rm(dir, { recursive: true, force: true });
  };
  let server = await start().catch(async (error: unknown) => {
    await removeDir();
    throw error;
  });
  const stop = async () => {
    await server.stop();
    await removeDir();
  };

  return {
    mesh,
    url: server.url,
    dir,
    keys,
    get server() {
      return server;
    },
    agentKey: (name) => keyOf(keys.agents, name),
    operatorKey: (name) => keyOf(keys.operators, name ?? Object.keys(keys.operators)[0] ?? 'operator'),
    async enrol(host) {
      const key = createKeyPair();
      keys.agents[host] = key;
      await server.reload(meshUsers(keys));
      return key;
    },
    async restart() {
      await server.stop();
      options.port = server.port;
      server = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** The public half of the keys: what a server's configuration is made of. */
export function meshUsers(keys: MeshKeys): MeshUsers {
  const users = (pairs: Record<string, KeyPair>) =>
    Object.entries(pairs).map(([name, { publicKey }]) => ({ name, publicKey }));
  return {
    core: users({ coordinator: keys.coordinator }),
    agents: users(keys.agents),
    operators: users(keys.operators),
    monitors: users({ monitor: keys.monitor }),
  };
}

function completeKeys(known: MeshKeys | undefined, agents: readonly string[], operators: readonly string[]): MeshKeys {
  return {
    coordinator: known?.coordinator ?? createKeyPair(),
    agents: { ...newKeys(agents), ...known?.agents },
    operators: { ...newKeys(operators), ...known?.operators },
    monitor: known?.monitor ?? createKeyPair(),
  };
}

function newKeys(names: readonly string[]): Record<string, KeyPair> {
  return Object.fromEntries(names.map((name) => [name, createKeyPair()]));
}

function keyOf(pairs: Record<string, KeyPair>, name: string): KeyPair {
  const key = pairs[name];
  if (!key) throw new Error(`nobody called ${name} is enrolled`);
  return key;
}
