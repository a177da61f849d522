import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostContext } from '@signalbox/protocol';
import { asOwner, readPostgresUri } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { addressOf, Connection, withClient } from '../postgres/connection.ts';
import { findProgram, succeed } from '../support/exec.ts';
import { HostPath } from '../support/files.ts';
import { VariableName } from '../support/variables.ts';

export const ALEMBIC = {
  connection: Connection.describe('The database that is meant.'),
  folder: HostPath.describe('The folder with alembic.ini.'),
  program: HostPath.describe(
    'The alembic of the environment that the service runs, as in /opt/backend/venv/bin/alembic.',
  ),
  variable: VariableName.default('DATABASE_URL').describe(
    'The variable that env.py reads the URI of the database from.',
  ),
};
const Alembic = z.strictObject(ALEMBIC);
export type Alembic = z.infer<typeof Alembic>;

/** What stands for "no revision at all" in Alembic's own words. */
export const BASE = 'base';

/**
 * Runs alembic as the owner of the code, with the URI in its environment, as the service itself has it; in argv it would be for
 * all to see [I9].
 */
export async function alembic(
  context: HostContext,
  { connection, folder, program, variable }: Alembic,
  words: readonly string[],
  quiet = false,
): Promise<string> {
  const uri = await context.secret(connection.uri);
  const argv = await asOwner(folder, [program, ...words]);
  const { stdout } = await succeed(context, argv, { cwd: folder, env: { [variable]: uri }, quiet });
  return stdout;
}

export async function programProblems(context: HostContext, { folder, program }: Alembic) {
  const problems = [];
  if (!findProgram(context, program)) {
    problems.push(actionError('SB-ACT-PROGRAM-MISSING', `${program} cannot be executed`).failure);
  }
  const ini = join(folder, 'alembic.ini');
  const readable = await access(ini, constants.R_OK).then(
    () => true,
    () => false,
  );
  if (!readable) problems.push(actionError('SB-ACT-FILE', `${ini} cannot be read`).failure);
  return problems;
}

export interface Scripts {
  /** All revisions, newest first. */
  known: string[];
  heads: string[];
}

/** From lines such as `002_x -> 003_y (head), message`; one program, because each start of it takes a second. */
export async function scriptsOf(context: HostContext, input: Alembic): Promise<Scripts> {
  const text = await alembic(context, input, ['history'], true);
  const found = text.split('\n').flatMap((line) => {
    const [, revision, marks = ''] = /^\S.* -> ([^\s,]+)([^,]*)/.exec(line) ?? [];
    return revision === undefined ? [] : [{ revision, head: marks.includes('(head)') }];
  });
  const heads = found.filter(({ head }) => head).map(({ revision }) => revision);
  return { known: found.map(({ revision }) => revision), heads };
}

/** The revision that the scripts lead to. @throws SB-ACT-ALEMBIC-REVISION when they have several heads or none. */
export function onlyHead({ heads }: Scripts): string {
  const [head] = heads;
  if (head !== undefined && heads.length === 1) return head;
  throw actionError('SB-ACT-ALEMBIC-REVISION', `the scripts have ${heads.length} heads: ${heads.join(', ')}`);
}

/** What the database itself says. @throws SB-ACT-ALEMBIC-REVISION when it stands on several branches at once. */
export function revisionInDatabase(context: HostContext, { connection }: Alembic): Promise<string> {
  return withClient(context, connection, async (client) => {
    const { rows: there } = await client.query(`SELECT to_regclass('alembic_version') IS NOT NULL AS there`);
    if (there[0]?.there !== true) return BASE;
    const { rows } = await client.query<{ version_num: string }>('SELECT version_num FROM alembic_version');
    if (rows.length > 1)
      throw actionError('SB-ACT-ALEMBIC-REVISION', `the database has ${rows.length} revisions at once`);
    return rows[0]?.version_num ?? BASE;
  });
}

/**
 * Proves that alembic works on the database that is meant. env.py is code and may not read the variable, or have a
 * default of its own; `current --verbose` prints the URL that it really uses, without the password [T13].
 * @throws SB-ACT-ALEMBIC-DATABASE
 */
export async function requireSameDatabase(context: HostContext, input: Alembic): Promise<void> {
  const meant = await addressOf(context, input.connection);
  const said = await alembic(context, input, ['current', '--verbose'], true);
  const url = /^Current revision\(s\) for (\S+?):$/m.exec(said)?.[1] ?? 'nothing that could be read';
  const used = readPostgresUri(url);
  const same = used?.host === meant.host && used.port === meant.port && used.database === meant.database;
  if (same) return;
  const shown = `${meant.database} on ${meant.host}:${meant.port}`;
  throw actionError('SB-ACT-ALEMBIC-DATABASE', `alembic works on ${url}, not on ${shown}`);
}
