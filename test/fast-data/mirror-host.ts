import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@signalbox/protocol/testing';
import { writeExecutable } from '../lab/executable.ts';
import { createSandbox, type Sandbox } from '../lab/sandbox.ts';
import { ACCOUNTS } from './mongo/accounts.ts';
import type { ReplicaSet } from './mongo/replica-set.ts';

export interface MirrorOptions {
  readonly unit: string;
  readonly source: ReplicaSet;
  readonly destination: ReplicaSet;
  /** Databases; none: everything. */
  readonly includes?: readonly string[];
}

/** The mirror is started by the runbook, and by nothing else. */
export const NOTHING_AT_BOOT = 'none.service';

/** A host that can run mirrors, with the unit files that its administrator wrote. */
export async function createMirrorHost(dir: string, mirrors: readonly MirrorOptions[]): Promise<Sandbox> {
  const host = createSandbox({
    dir,
    name: 'mirror-1',
    role: 'service',
    labels: { role: 'mirror', system: 'fast-data' },
    unit: NOTHING_AT_BOOT,
  });
  writeExecutable(join(host.paths.localBin, 'mongomirror'), 'mongomirror', [host.paths.root]);
  for (const mirror of mirrors) await installMirror(host, mirror);
  return host;
}

/** @returns the bookmark file */
export async function installMirror(
  host: Sandbox,
  { unit, source, destination, includes = [] }: MirrorOptions,
): Promise<string> {
  const { root, localBin, packagedUnits } = host.paths;
  const [port = 0] = await freePorts(1);
  const folder = join(root, 'var', 'lib', unit.replace('.service', ''));
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'passwords.yaml');
  const { password } = ACCOUNTS.mirror;
  writeFileSync(config, `password: ${password}\ndestinationPassword: ${password}\n`, { mode: 0o600 });
  const bookmark = join(folder, 'bookmark');
  const words = [
    ...['--host', `${source.name}/${source.addresses}`, '--username', 'mirror'],
    ...['--destination', `${destination.name}/${destination.addresses}`, '--destinationUsername', 'mirror'],
    ...['--config', config, '--bookmarkFile', bookmark, '--httpStatusPort', String(port)],
    ...['--oplogPath', join(folder, 'oplog'), ...includes.flatMap((name) => ['--includeDB', name])],
  ];
  writeFileSync(
    join(packagedUnits, unit),
    `[Unit]
Description=MongoMirror
After=network-online.target

[Service]
ExecStart=${join(localBin, 'mongomirror')} ${words.join(' ')}
Restart=on-failure
RestartSec=300ms
`,
  );
  return bookmark;
}

export const MONGOSYNC_UNIT = 'mongosync.service';

/** mongosync as its administrator set it up. @returns where it listens once it runs */
export async function installMongosync(
  host: Sandbox,
  { source, destination }: Pick<MirrorOptions, 'source' | 'destination'>,
): Promise<string> {
  const { root, localBin, packagedUnits } = host.paths;
  const [port = 0] = await freePorts(1);
  writeExecutable(join(localBin, 'mongosync'), 'mongosync', [root]);
  const config = join(root, 'mongosync.yaml');
  const lines = [`cluster0: ${source.uri('mirror')}`, `cluster1: ${destination.uri('mirror')}`, `port: ${port}`];
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  writeFileSync(
    join(packagedUnits, MONGOSYNC_UNIT),
    `[Unit]
Description=mongosync
After=network-online.target

[Service]
ExecStart=${join(localBin, 'mongosync')} --config ${config}
Restart=on-failure
RestartSec=300ms
`,
  );
  return `http://127.0.0.1:${port}`;
}
