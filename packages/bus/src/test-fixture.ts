import { setTimeout as delay } from 'node:timers/promises';
import { createKeyPair, type KeyPair } from '@signalbox/protocol/crypto';
import { connect, type NatsConnection } from 'nats';
import { onTestFinished } from 'vitest';
import { accounts, inboxPrefix } from './accounts.ts';
import { type AgentBusOptions, connectAgent } from './agent-bus.ts';
import { type CoordinatorBusOptions, connectCoordinator } from './coordinator-bus.ts';
import { type LocalMesh, type MeshKeys, meshUsers, startMesh } from './local-mesh.ts';
import { connectOperator } from './operator-bus.ts';
import type { AgentBus, CoordinatorBus, OperatorBus } from './port.ts';
import { inOperatorMode } from './testing/operator-mode.ts';

/** What tests of this package share. Not part of the package's interface. */
export const MESH = 'lab';

export interface Lab {
  readonly mesh: LocalMesh;
  coordinator(options?: Partial<CoordinatorBusOptions>): Promise<CoordinatorBus>;
  agent(host: string, options?: Partial<AgentBusOptions>): Promise<AgentBus>;
  operator(): Promise<OperatorBus>;
  /** A client that knows nothing of ours but a key; `url`: not straight to the server. */
  bare(key: KeyPair, url?: string): Promise<NatsConnection>;
}

export interface LabOptions {
  readonly maxStorageBytes?: number;
  /** As a NATS of a company: operator and JWTs with the full resolver, instead of a configuration file. */
  readonly operatorMode?: boolean;
}

export function meshKeys(hosts: readonly string[]): MeshKeys {
  const agents = Object.fromEntries(hosts.map((host) => [host, createKeyPair()]));
  const operators = { operator: createKeyPair() };
  return { coordinator: createKeyPair(), agents, operators, monitor: createKeyPair() };
}

/** A mesh with hosts a1 and a2 and everything that connects to it; all of it ends with the test, also when it times out. */
export async function startLab({ operatorMode, ...options }: LabOptions = {}): Promise<Lab> {
  const keys = meshKeys(['a1', 'a2']);
  const jwts = operatorMode ? await inOperatorMode(accounts(MESH, meshUsers(keys))) : undefined;
  const mesh = await startMesh({
    ...{ mesh: MESH, agents: ['a1', 'a2'], keys, ...options },
    ...(jwts === undefined ? {} : { adapt: jwts.adapt }),
  });
  const jwtOf = (key: KeyPair) => jwts?.jwtOf(key.publicKey);
  const open: { close(): Promise<void> }[] = [];
  onTestFinished(async () => {
    await Promise.allSettled(open.map((one) => one.close()));
    await mesh.stop();
  });
  const keep = <T extends { close(): Promise<void> }>(opened: T): T => {
    open.push(opened);
    return opened;
  };
  const base = (key: KeyPair, name: string) => ({
    servers: [mesh.url],
    mesh: MESH,
    seed: key.seed,
    jwt: jwtOf(key),
    name,
    connectTimeoutMs: 3_000,
  });
  return {
    mesh,
    coordinator: async (more) =>
      keep(await connectCoordinator({ ...base(mesh.keys.coordinator, 'coordinator'), ...more })),
    agent: async (host, more) =>
      keep(await connectAgent({ ...base(mesh.agentKey(host), host), host, timing: QUICK, ...more })),
    operator: async () => keep(await connectOperator(base(mesh.operatorKey(), 'operator'))),
    bare: async (key, url = mesh.url) => keep(await connectBare(url, key, jwtOf(key))),
  };
}

export const QUICK = { sweepEveryMs: 200, retryAfterMs: 50 };

export async function connectBare(url: string | string[], key: KeyPair, jwt?: string): Promise<NatsConnection> {
  return await connect({
    servers: url,
    inboxPrefix: inboxPrefix(key.publicKey),
    timeout: 3_000,
    authenticator: (nonce) => ({
      nkey: key.publicKey,
      sig: nonce === undefined ? '' : Buffer.from(key.sign(Buffer.from(nonce))).toString('base64'),
      ...(jwt === undefined ? {} : { jwt }),
    }),
  });
}

/** Waits for a condition; the test's own time limit is the bound. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}

/** The code that a call fails with, or what it gave instead. */
export async function codeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return { gave: await call() };
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString();
