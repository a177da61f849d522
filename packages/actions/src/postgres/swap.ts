import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import type { Client } from 'pg';
import { actionError } from '../codes.ts';
import { succeed } from '../support/exec.ts';
import { sha256Text } from '../support/files.ts';
import { addressOf, type Connection, ident, withClient, withService } from './connection.ts';
import { dumpIn, verifyDump } from './dump-file.ts';
import { differences, fingerprintOf } from './fingerprint.ts';

/** Where databases as a whole are worked on: a database cannot be renamed from inside. */
const MAINTENANCE = 'postgres';

/** Names that a step makes for itself when it is checked: the restored database, and the one that makes room for it. */
export interface SwapNames {
  scratch: string;
  aside: string;
}

/** PostgreSQL cuts names at 63 bytes; ids of executions are longer, so a checksum stands for them. */
export function swapNames(context: HostContext, database: string): SwapNames {
  const mark = sha256Text(context.executionId).slice(0, 10);
  const short = database.slice(0, 32);
  return { scratch: `${short}_restored_${mark}`, aside: `${short}_before_${mark}` };
}

/** From a receipt; empty when the step never came so far. */
export function readSwapNames({ own }: JsonObject): SwapNames {
  const { scratch, aside } = isJsonObject(own) ? own : {};
  return { scratch: typeof scratch === 'string' ? scratch : '', aside: typeof aside === 'string' ? aside : '' };
}

export function onServer<T>(
  context: HostContext,
  connection: Connection,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  return withClient(context, connection, use, MAINTENANCE);
}

export async function databaseExists(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  return rowCount === 1;
}

/**
 * Restores a proven dump into a new database, in one transaction that any error ends, and compares what came out with
 * what went in: `psql -d live < dump` goes on after errors, in the database that people use [T15].
 * A scratch database that an earlier attempt left is made anew.
 */
export async function restoreBeside(
  context: HostContext,
  connection: Connection,
  { folder, sha256, scratch }: { folder: string; sha256?: string | undefined; scratch: string },
): Promise<void> {
  const { fingerprint: dumped } = await verifyDump(context, folder, sha256);
  const { database } = await addressOf(context, connection);
  await onServer(context, connection, async (client) => {
    const { rows } = await client.query<{ owner: string; encoding: string; collate: string; ctype: string }>(
      `SELECT pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding, datcollate AS collate,
         datctype AS ctype FROM pg_database WHERE datname = $1`,
      [database],
    );
    const like = rows[0];
    if (!like) throw actionError('SB-ACT-POSTGRES', `there is no database ${database}`);
    await client.query(`DROP DATABASE IF EXISTS ${ident(scratch)}`);
    await client.query(
      `CREATE DATABASE ${ident(scratch)} TEMPLATE template0 OWNER ${ident(like.owner)} ENCODING '${like.encoding}'
         LC_COLLATE ${client.escapeLiteral(like.collate)} LC_CTYPE ${client.escapeLiteral(like.ctype)}`,
    );
  });
  const restore = ['pg_restore', '--single-transaction', '--exit-on-error', '--no-password'] as const;
  const argv = [...restore, '--dbname=service=signalbox', dumpIn(folder)] as const;
  await withService(context, connection, ({ env }) => succeed(context, argv, { env }), scratch);
  const different = differences(dumped, await fingerprintOf(context, connection, scratch), { sequences: false });
  if (different.length === 0) return;
  const what = different.slice(0, 5).join(', ');
  throw actionError('SB-ACT-DUMP-DAMAGED', `what was restored from ${folder} is not what was dumped: ${what}`);
}

/**
 * Two renames in one transaction: at each moment there is one whole database under the name that people use, and the old
 * one is kept. Nobody is thrown out: who is still connected is named.
 * @throws SB-ACT-DATABASE-BUSY
 */
export async function swapDatabases(
  client: Client,
  { live, into, from }: { live: string; into: string; from: string },
): Promise<void> {
  await requireNobody(client, live);
  await requireNobody(client, from);
  await client.query('BEGIN');
  await client.query(`ALTER DATABASE ${ident(live)} RENAME TO ${ident(into)}`);
  await client.query(`ALTER DATABASE ${ident(from)} RENAME TO ${ident(live)}`);
  await client.query('COMMIT');
}

async function requireNobody(client: Client, database: string): Promise<void> {
  const { rows } = await client.query<{ who: string }>(
    `SELECT DISTINCT coalesce(nullif(application_name, ''), usename) AS who FROM pg_stat_activity
       WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
    [database],
  );
  if (rows.length === 0) return;
  const who = rows.map((row) => row.who).join(', ');
  throw actionError('SB-ACT-DATABASE-BUSY', `${database} cannot be renamed while it is used by ${who}`);
}

/** Why a database could not be put back by a restore and two renames, as a plan shows it; empty when it could. */
export async function swapProblems(client: Client, database: string) {
  const { rows } = await client.query<{ creates: boolean; owns: boolean; special: boolean; icu: boolean }>(
    `SELECT (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user) AS creates,
       pg_has_role(d.datdba, 'USAGE') AS owns,
       (d.datacl IS NOT NULL OR EXISTS (SELECT 1 FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)) AS special,
       coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') <> 'c' AS icu FROM pg_database d WHERE d.datname = $1`,
    [database],
  );
  const found = rows[0];
  if (!found) return [actionError('SB-ACT-POSTGRES', `there is no database ${database}`).failure];
  const may = found.creates && found.owns;
  return [
    ...(may ? [] : [actionError('SB-ACT-DATABASE-RIGHTS', `who connects may not make and rename ${database}`).failure]),
    ...(found.special
      ? [actionError('SB-ACT-DATABASE-SETTINGS', `${database} has grants or settings of its own`).failure]
      : []),
    ...(found.icu ? [actionError('SB-ACT-DATABASE-SETTINGS', `${database} has an ICU locale`).failure] : []),
  ];
}
