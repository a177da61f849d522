import { createHash } from 'node:crypto';
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import { nodeBinary } from './furnish-node.ts';
import { runOn, type Sandbox, showUnit } from './sandbox.ts';

/** A host as it can be compared with itself later. */
export interface Snapshot {
  /** SHA-256 by path below the host's folder. */
  files: Map<string, string>;
  /** What must be the same again: states, not pids or counters. */
  unit: Record<string, string>;
  versions: Record<string, string>;
}

/** Not part of what a host is: its running state, its logs, and the observer's own records. */
const NOT_THE_HOST = /^(run|var\/log|lab)\//;
/** Grow as long as the chain moves, on any host, whatever anybody does. */
export const RISING = /\/data\/(priv_validator_state\.json(\.tmp)?|blockstore\.db\/.*|state\.db\/.*|cs\.wal\/.*)$/;
/** What actions declare that they leave behind: backups, data set aside, replaced files under a name of the run's. */
export const LEFTOVERS = /\/backups\/|\.(before-undo|restoring|signalbox)-|\/data\.backup\//;

export async function takeSnapshot(sandbox: Sandbox): Promise<Snapshot> {
  const files = new Map<string, string>();
  for (const path of listFiles(sandbox.paths.root)) {
    const name = relative(sandbox.paths.root, path);
    if (NOT_THE_HOST.test(name) || RISING.test(name) || LEFTOVERS.test(name)) continue;
    files.set(name, createHash('sha256').update(contentOf(path)).digest('hex'));
  }
  const unit = await showUnit(sandbox, sandbox.unit, ['ActiveState', 'SubState', 'LoadState', 'UnitFileState']);
  return { files, unit, versions: await versions(sandbox) };
}

async function versions(sandbox: Sandbox): Promise<Record<string, string>> {
  if (sandbox.role === 'node') {
    const { stdout } = await runOn(sandbox, [nodeBinary(sandbox.paths), 'version']);
    return { remesd: stdout.trim() };
  }
  if (sandbox.role === 'service') return {};
  const { stdout } = await runOn(sandbox, [join(sandbox.venv, 'bin', 'pip'), 'freeze']);
  return { pip: stdout.trim() };
}

/** Of a link, where it points: what is there is a file of its own, or of another host. */
function contentOf(path: string): Buffer | string {
  return lstatSync(path).isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path);
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => inside(join(folder, entry.name), entry))
    .sort();
}

function inside(path: string, entry: Dirent): string[] {
  if (entry.isDirectory()) return listFiles(path);
  if (entry.isFile()) return [path];
  // A mask is a link to /dev/null, which is no file of the host; unit states tell of it.
  return entry.isSymbolicLink() && !readlinkSync(path).startsWith('/dev/') ? [path] : [];
}

/** What `pg_dump --inserts` says that a database holds, in an order of its own and without its tokens and remarks. */
export const dumpLines = (dump: string) =>
  dump
    .split('\n')
    .filter((line) => !/^(--|\\|$)/.test(line))
    .sort();

/** Every difference in words; empty when the host is as before. */
export function compareSnapshots(before: Snapshot, after: Snapshot): string[] {
  const paths = new Set([...before.files.keys(), ...after.files.keys()]);
  const files = [...paths].sort().flatMap((path) => {
    const [was, is] = [before.files.get(path), after.files.get(path)];
    if (was === is) return [];
    return [`${path} ${was === undefined ? 'is new' : is === undefined ? 'is gone' : 'has changed'}`];
  });
  return [
    ...files,
    ...differences('unit', before.unit, after.unit),
    ...differences('version', before.versions, after.versions),
  ];
}

function differences(what: string, before: Record<string, string>, after: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    before[key] === after[key] ? [] : [`${what} ${key}: ${before[key]} -> ${after[key]}`],
  );
}
