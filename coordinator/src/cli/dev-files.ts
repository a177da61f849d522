import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MeshKeys } from '@signalbox/bus';
import { createKeyPair, type KeyPair, writeCertificate } from '@signalbox/protocol/crypto';
import { loadSeed } from '@signalbox/settings';
import { stringify } from 'yaml';

/** Who is who in a mesh for trying out. */
export interface DevNames {
  readonly mesh: string;
  readonly host: string;
  readonly operator: string;
}

/** Written anew at each start. */
const GOOD_MS = 30 * 24 * 3_600_000;

/** The folder of a mesh for trying out: keys that stay, settings that are written anew at each start. */
export interface DevFolder {
  readonly dir: string;
  readonly nats: string;
  readonly keys: MeshKeys;
  readonly seeds: { readonly coordinator: string; readonly agent: string; readonly operator: string };
  /** Who vouches for the operator. */
  readonly authority: KeyPair;
}

export function openFolder(dir: string, { host, operator }: DevNames): DevFolder {
  for (const part of ['', 'keys', 'nats', 'logs', 'agent'])
    mkdirSync(join(dir, part), { recursive: true, mode: 0o700 });
  const kept = (name: string) => keptKey(join(dir, 'keys', `${name}.seed`));
  const coordinator = kept('coordinator');
  const agent = kept(`agent-${host}`);
  const person = kept(`operator-${operator}`);
  return {
    dir,
    nats: join(dir, 'nats'),
    keys: {
      coordinator: coordinator.key,
      agents: { [host]: agent.key },
      operators: { [operator]: person.key },
      monitor: kept('monitor').key,
    },
    authority: kept('authority').key,
    seeds: { coordinator: coordinator.file, agent: agent.file, operator: person.file },
  };
}

interface Kept {
  readonly file: string;
  readonly key: KeyPair;
}

/** The same key at every start: a run that was begun yesterday belongs to somebody. */
function keptKey(file: string): Kept {
  if (!existsSync(file)) writeFileSync(file, `${createKeyPair().seed}\n`, { mode: 0o600 });
  return { file, key: loadSeed(file) };
}

export interface WrittenFor {
  readonly url: string;
  readonly healthUrl: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** PATH of what the agent starts. */
  readonly path: string;
}

export interface DevSettings {
  readonly coordinator: string;
  readonly agent: string;
  readonly operator: string;
}

/** Writes the three settings files for where NATS listens this time. */
export function writeSettings(
  { dir, keys, seeds, authority }: DevFolder,
  { mesh, host, operator }: DevNames,
  { url, healthUrl, labels, path }: WrittenFor,
): DevSettings {
  const coordinators = [keys.coordinator.publicKey];
  const write = (name: string, settings: object) => {
    const file = join(dir, name);
    writeFileSync(file, stringify(settings), { mode: 0o600 });
    return file;
  };
  const key = keys.operators[operator]?.publicKey ?? '';
  const issuedAtMs = Date.now();
  const said = { mesh, name: operator, key, role: 'admin', issuedAtMs, expiresAtMs: issuedAtMs + GOOD_MS };
  const certificateFile = join(dir, `${operator}.cert`);
  writeFileSync(certificateFile, `${writeCertificate(said, authority)}\n`);
  return {
    coordinator: write('coordinator.yaml', {
      mesh,
      servers: [url],
      seedFile: seeds.coordinator,
      hosts: { [host]: { key: keys.agents[host]?.publicKey, labels } },
      operators: { [operator]: { key, role: 'admin' } },
      ...(healthUrl === undefined ? {} : { natsHealthUrl: healthUrl }),
    }),
    agent: write('agent.yaml', {
      mesh,
      name: host,
      servers: [url],
      seedFile: seeds.agent,
      stateDir: join(dir, 'agent'),
      labels,
      path,
      trust: { coordinators, authority: authority.publicKey },
    }),
    operator: write('signalbox.yaml', {
      ...{ mesh, servers: [url], seedFile: seeds.operator, operator, coordinators },
      ...{ authority: authority.publicKey, certificateFile },
    }),
  };
}
