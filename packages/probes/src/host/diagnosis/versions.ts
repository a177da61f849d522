import { readdir, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { type HostContext, isJsonObject, type Json, type JsonObject } from '@signalbox/protocol';
import { asOwner, optionOf } from '@signalbox/protocol/readings';
import { masked } from './masked.ts';
import { type SeenUnit, venvOf } from './units.ts';

const LIMIT_MS = 5_000;
const MOST_PACKAGES = 150;
const POSTGRES = '/usr/lib/postgresql';

/** How each says what it is; what is not on the host is left out. */
const PROGRAMS = {
  node: ['node', '--version'],
  python: ['python3', '--version'],
  docker: ['docker', '--version'],
  compose: ['docker-compose', '--version'],
  nginx: ['nginx', '-v'],
  psql: ['psql', '--version'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export async function versions(context: HostContext, units: readonly SeenUnit[]): Promise<JsonObject> {
  const own = Object.entries(PROGRAMS).map(([name, argv]) => ({ name, argv: async () => argv }));
  const servers = (await readdir(POSTGRES).catch(() => [])).map((folder) => ({
    name: `postgres ${folder}`,
    argv: async () => [join(POSTGRES, folder, 'bin', 'postgres'), '--version'] as const,
  }));
  const asked = [...own, ...servers, ...units.flatMap(nodeOf)].map(async ({ name, argv }) => {
    const { exitCode, stdout, stderr } = await context.exec(await argv(), { quiet: true, timeoutMs: LIMIT_MS });
    // nginx and releases of remesd say it on stderr.
    const [first = ''] = `${stdout}\n${stderr}`.trim().split('\n');
    return exitCode === 0 ? { [name]: masked(first) } : {};
  });
  return { os: await distribution(), kernel: release(), ...Object.assign({}, ...(await Promise.all(asked))) };
}

/** remesd makes files in its home, also when it is only asked for its version: in the unit's, as its owner [T03]. */
function nodeOf({ reading: { exec } }: SeenUnit) {
  const home = exec && optionOf(exec.argv, '--home');
  if (exec === undefined || home === undefined || !exec.path.endsWith('/remesd')) return [];
  return [{ name: 'remesd', argv: () => asOwner(home, [exec.path, 'version', '--home', home]) }];
}

async function distribution(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'unknown';
}

/** Isolated: nothing of the user's is run. */
const LIST =
  'import importlib.metadata as m,json;print(json.dumps({d.metadata["Name"]:d.version for d in m.distributions()}))';

/** What the environments of these units have installed. */
export async function packages(context: HostContext, units: readonly SeenUnit[]): Promise<JsonObject> {
  const venvs = new Set((await Promise.all(units.map(venvOf))).filter((venv) => venv !== undefined));
  return Object.fromEntries(await Promise.all([...venvs].map(async (venv) => [venv, await packagesOf(context, venv)])));
}

async function packagesOf(context: HostContext, venv: string): Promise<Json> {
  const argv = await asOwner(venv, [join(venv, 'bin', 'python'), '-I', '-c', LIST]);
  const { exitCode, stdout } = await context.exec(argv, { quiet: true, timeoutMs: LIMIT_MS });
  const said: Json = exitCode === 0 ? JSON.parse(stdout) : null;
  if (!isJsonObject(said)) return { problem: 'its Python does not answer' };
  const sorted = Object.entries(said).sort(([a], [b]) => a.localeCompare(b));
  return Object.fromEntries(sorted.slice(0, MOST_PACKAGES));
}
