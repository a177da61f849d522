import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { compareSnapshots, dumpLines, LEFTOVERS, RISING, type Snapshot } from '../snapshot.ts';
import { containersOn, DOCKER_UNITS } from './furnish-docker.ts';
import { BACKEND_CODE, DATABASES, databaseContent } from './furnish-platform.ts';
import { GREEN_UNIT, NGINX_UNIT, USERS_UNIT } from './furnish-production.ts';
import { STORE_UNIT, secretContent } from './furnish-secrets.ts';
import { environmentOf, heightsOf, lowered } from './host-running.ts';
import type { LabHost } from './lab-host.ts';

/** What changes on every host by itself, and what is Signalbox's own: its journal. */
const NOT_THE_HOST =
  /^(var\/(log|tmp|lib\/(signalbox|systemd|nats|postgresql|docker|containerd)|cache)|tmp|run|root\/\.bash_history|lab)(\/|$)/;
/** What a service leaves behind when it runs, git's own records of where it has been, and pip's of who asked for a package. */
const OWN_RECORDS = /\/(__pycache__|\.git)\/|\.dist-info\/(RECORD|REQUESTED)$/;
const UNIT_PROPERTIES = ['ActiveState', 'SubState', 'LoadState', 'UnitFileState'];

interface HostSnapshot extends Snapshot {
  heights: Record<string, number>;
}

export type Snapshots = ReadonlyMap<LabHost, HostSnapshot>;

/**
 * A host as it can be compared with itself later: every file in which it differs from the image that it was made from, with
 * owner and mode, the state of some units and the environment of what runs in them, what a database on it holds, and heights.
 */
async function takeHostSnapshot(host: LabHost, units: readonly string[]): Promise<HostSnapshot> {
  const files = new Map<string, string>();
  for (const entry of await readdir(host.layer, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(host.layer, path);
    if (entry.isDirectory() || NOT_THE_HOST.test(name) || RISING.test(name) || LEFTOVERS.test(name)) continue;
    if (OWN_RECORDS.test(name)) continue;
    files.set(name, fingerprint(path));
  }
  const unit: Record<string, string> = {};
  const production = host.has(BACKEND_CODE) ? [GREEN_UNIT, NGINX_UNIT, USERS_UNIT] : [];
  for (const name of [...units, ...production]) {
    for (const [key, value] of Object.entries(await host.unit(name, UNIT_PROPERTIES))) unit[`${name} ${key}`] = value;
    Object.assign(unit, await environmentOf(host, name));
  }
  const versions = host.has(BACKEND_CODE) ? await platformVersions(host) : {};
  return { files, unit, versions, heights: await heightsOf(host) };
}

async function platformVersions(host: LabHost): Promise<Record<string, string>> {
  const git = ['git', '-c', `safe.directory=${BACKEND_CODE}`, '-C', BACKEND_CODE, 'describe', '--tags'] as const;
  const versions: Record<string, string> = { code: (await host.run(git)).trim() };
  for (const name of DATABASES) {
    // PostgreSQL gives no number of a sequence back either when it rolls back a transaction.
    const lines = dumpLines(await databaseContent(host, name)).filter((line) => !line.includes('pg_catalog.setval'));
    versions[`database ${name}`] = createHash('sha256').update(lines.join('\n')).digest('hex');
  }
  const runs = async (unit: string) => (await host.unit(unit, ['ActiveState'])).ActiveState === 'active';
  if (await runs(STORE_UNIT)) versions.secret = await secretContent(host);
  if (await runs(DOCKER_UNITS[0])) versions.containers = await containersOn(host);
  return versions;
}

/** Hosts and the units that run on them, as they are now. */
export async function takeSnapshots(hosts: readonly LabHost[], unitOf: (host: LabHost) => string): Promise<Snapshots> {
  const taken = hosts.map(async (host) => [host, await takeHostSnapshot(host, [unitOf(host)])] as const);
  return new Map(await Promise.all(taken));
}

/** In what these hosts differ from what they were, each difference with its host. */
export async function changesSince(before: Snapshots, unitOf: (host: LabHost) => string): Promise<string[]> {
  const changes = [...before].map(async ([host, was]) => {
    const is = await takeHostSnapshot(host, [unitOf(host)]);
    const found = [...compareSnapshots(was, is), ...lowered(was.heights, is.heights)];
    return found.map((change) => `${host.name}: ${change}`);
  });
  return (await Promise.all(changes)).flat();
}

/** A character device is how an overlay says that a file of the image was removed. */
function fingerprint(path: string): string {
  const { mode, uid, gid } = lstatSync(path);
  const type = mode & 0o170_000;
  const content = type === 0o120_000 ? readlinkSync(path) : type === 0o100_000 ? readFileSync(path) : '';
  return `${mode.toString(8)} ${uid}:${gid} ${createHash('sha256').update(content).digest('hex')}`;
}
