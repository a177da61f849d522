import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from '@signalbox/protocol/testing';
import { onTestFinished } from 'vitest';
import { type AgentBusOptions, connectAgent } from './agent-bus.ts';
import { connectCoordinator } from './coordinator-bus.ts';
import { type EmbeddedServer, startServer } from './embedded-server.ts';
import { meshUsers } from './local-mesh.ts';
import type { AgentBus, CoordinatorBus } from './port.ts';
import { connectBare, MESH, meshKeys, QUICK } from './test-fixture.ts';

export const NAMES = ['n1', 'n2', 'n3'] as const;
const AGAIN_MS = 50;
const MIB = 1_048_576;
const LIMITS = { commandBytes: 4 * MIB, controlBytes: 4 * MIB, reportBytes: 4 * MIB, outputBytes: 4 * MIB };

/** Three NATS servers that keep every stream three times, with host a1. All of it ends with the test. */
export interface Cluster {
  coordinator(): Promise<CoordinatorBus>;
  agent(): Promise<AgentBus>;
  /** The server that leads a stream; undefined while the others are still choosing one. */
  leaderOf(stream: string): Promise<string | undefined>;
  /** The leader gives up its place; every server and every connection stays. */
  stepDown(stream: string): Promise<void>;
  /** SIGKILL. */
  kill(server: string): Promise<void>;
  /** With what it has stored, on its old port. */
  start(server: string): Promise<void>;
}

export async function startCluster(): Promise<Cluster> {
  const keys = meshKeys(['a1']);
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-cluster-'));
  // A server that is started again wants the ports that it had, and finds them free.
  const free = await freePorts(2 * NAMES.length);
  const routes = new Map(NAMES.map((name, i) => [name, free[i] ?? 0]));
  const ports = new Map<string, number>(NAMES.map((name, i) => [name, free[NAMES.length + i] ?? 0]));
  const running = new Map<string, EmbeddedServer>();
  const open: { close(): Promise<void> }[] = [];
  onTestFinished(async () => {
    await Promise.allSettled(open.map((one) => one.close()));
    await Promise.all([...running.values()].map((server) => server.stop()));
    rmSync(dir, { recursive: true, force: true });
  });
  const start = async (name: string) => {
    const server = await startServer({
      ...{ dir: join(dir, name), mesh: MESH, users: meshUsers(keys), startTimeoutMs: 30_000 },
      port: ports.get(name) ?? 0,
      adapt: (config) => ({ ...config, server_name: name, cluster: clusterOf(name, routes) }),
    });
    running.set(name, server);
  };
  await Promise.all(NAMES.map(start));
  const keep = <T extends { close(): Promise<void> }>(opened: T): T => {
    open.push(opened);
    return opened;
  };
  const servers = [...running.values()].map(({ url }) => url);
  const base = { servers, mesh: MESH, connectTimeoutMs: 30_000 };
  const admin = keep(await connectBare(servers, keys.coordinator));

  return {
    coordinator: async () =>
      keep(await connectCoordinator({ ...base, seed: keys.coordinator.seed, name: 'c', replicas: 3, limits: LIMITS })),
    agent: async () => {
      const { seed = '' } = keys.agents.a1 ?? {};
      const options: AgentBusOptions = { ...base, seed, name: 'a1', host: 'a1', timing: QUICK };
      return keep(await connectAgent(options));
    },
    async leaderOf(stream) {
      const jsm = await admin.jetstreamManager({ checkAPI: false });
      return (await jsm.streams.info(stream).catch(() => undefined))?.cluster?.leader;
    },
    async stepDown(stream) {
      await admin.request(`$JS.API.STREAM.LEADER.STEPDOWN.${stream}`, '', { timeout: 5_000 });
    },
    async kill(name) {
      const server = running.get(name);
      if (server === undefined) throw new Error(`${name} does not run`);
      running.delete(name);
      process.kill(server.pid, 'SIGKILL');
      await server.ended;
    },
    start,
  };
}

function clusterOf(name: string, routes: ReadonlyMap<string, number>) {
  return {
    name: MESH,
    listen: `127.0.0.1:${routes.get(name)}`,
    routes: [...routes.values()].map((port) => `nats://127.0.0.1:${port}`),
  };
}

/** As the programs do it: what could not be answered for is said again, for as long as it takes. */
export async function insist<T>(call: () => Promise<T>, unanswered: (code: string) => void = () => {}): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      unanswered(error instanceof Error && 'code' in error ? String(error.code) : String(error));
      await delay(AGAIN_MS);
    }
  }
}
