import { join } from 'node:path';
import type { HostContext, JsonObject } from '@signalbox/protocol';
import { asOwner, readPostgresUri } from '@signalbox/protocol/readings';
import { masked } from './masked.ts';
import { isThere, type SeenUnit, venvOf } from './units.ts';

const LIMIT_MS = 12_000;

/** Only these go to Alembic: setpriv, which starts it, is root, and a service's LD_PRELOAD would be obeyed there. */
const NAMES_DATABASE = /^([A-Z0-9]+_)*(DATABASE|DB|POSTGRES)_[A-Z0-9_]+$|^PG[A-Z]+$/;

/** A folder with Alembic's scripts, and the unit whose code they are. */
export interface Scripts {
  folder: string;
  seen?: SeenUnit | undefined;
}

export async function foldersWithScripts(units: readonly SeenUnit[], folders: readonly string[]): Promise<Scripts[]> {
  const own = units.map((seen) => ({ folder: seen.reading.workingDirectory, seen }));
  const all = new Map<string, Scripts>([...folders.map((folder) => ({ folder })), ...own].map((it) => [it.folder, it]));
  const withIni = await Promise.all(
    [...all.values()].map(async (it) =>
      it.folder !== '' && (await isThere(join(it.folder, 'alembic.ini'))) ? [it] : [],
    ),
  );
  return withIni.flat();
}

/** Where the database stands and where the scripts lead, in Alembic's own words [T13]. */
export async function alembicState(context: HostContext, { folder, seen }: Scripts): Promise<JsonObject> {
  const venv = seen === undefined ? undefined : await venvOf(seen);
  const program = venv === undefined ? 'alembic' : join(venv, 'bin', 'alembic');
  const variables = [...(seen?.environment ?? [])].filter(([name]) => NAMES_DATABASE.test(name));
  // Nothing is left in a folder that git looks at.
  const env = { ...Object.fromEntries(variables), PYTHONDONTWRITEBYTECODE: '1' };
  const ask = async (...words: string[]) => {
    const argv = await asOwner(folder, [program, ...words]);
    const { exitCode, stdout, stderr, timedOut } = await context.exec(argv, {
      ...{ cwd: folder, env, quiet: true, timeoutMs: LIMIT_MS },
    });
    if (exitCode === 0) return { said: stdout };
    return { why: `alembic ${words[0]}: ${timedOut ? 'no answer in time' : hidden(reasonIn(stderr), variables)}` };
  };
  const asksDatabase = variables.length > 0;
  const nobody = { why: `no unit of this host names the database of ${folder}` };
  const [heads, current] = await Promise.all([ask('heads'), asksDatabase ? ask('current', '--verbose') : nobody]);
  return {
    ...('said' in heads ? { heads: namesIn(heads.said, /^(\S+).*\((?:effective )?head\)/gm) } : {}),
    ...('said' in current ? currentIn(current.said) : {}),
    ...problemOf([heads, current]),
  };
}

function problemOf(answers: readonly ({ said: string } | { why: string })[]): JsonObject {
  const whys = answers.flatMap((answer) => ('why' in answer ? [answer.why] : []));
  return whys.length === 0 ? {} : { problem: whys.join('; ') };
}

/** The URL has no password: SQLAlchemy leaves it out. It is masked all the same. */
function currentIn(said: string): JsonObject {
  const url = /^Current revision\(s\) for (\S+?):$/m.exec(said)?.[1];
  return { current: namesIn(said, /^Rev: (\S+)/gm), ...(url === undefined ? {} : { database: masked(url) }) };
}

function namesIn(said: string, pattern: RegExp): string {
  return [...said.matchAll(pattern)].map(([, name]) => name).join(', ') || 'base';
}

/** Behind a traceback stands the error's name, and after it at times a link. */
function reasonIn(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.findLast((line) => /^[A-Za-z_][\w.]*: /.test(line)) ?? lines.at(-1) ?? '';
}

/** An error may repeat what it was given, whole or a part of it. */
function hidden(line: string, variables: readonly (readonly [string, string])[]): string {
  const values = variables.flatMap(([, value]) => [value, readPostgresUri(value)?.password ?? '']);
  return masked(values.filter(Boolean).reduce((text, value) => text.replaceAll(value, '***'), line));
}
