import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostContext } from '@signalbox/protocol';
import type { Client } from 'pg';
import { z } from 'zod';
import { succeed } from '../support/exec.ts';
import { sha256Text } from '../support/files.ts';
import { type Connection, ident, withClient, withService } from './connection.ts';

/** What a database holds, so that two of them, or one at two times, can be compared without looking at the data. */
export type Fingerprint = z.infer<typeof Fingerprint>;
export const Fingerprint = z.object({
  /** Of the schema as pg_dump writes it. */
  schema: z.string(),
  /** By qualified name: how many rows, and a checksum that does not depend on their order. */
  tables: z.record(z.string(), z.object({ rows: z.number(), sum: z.string() })),
  /** By qualified name: where it stands. A restored identity that counts from 1 again collides later. */
  sequences: z.record(z.string(), z.string()),
});

/**
 * SQL for the sum of a checksum of each row: it needs no sorting and no memory, and unlike XOR it sees a row that is there
 * twice. A whole row as text has its columns in their order, so a column that moved counts as a change.
 */
export const rowSum = (row: string) => `coalesce(sum(('x' || md5(${row}))::bit(64)::bigint::numeric), 0)::text`;

const RELATIONS = `SELECT n.nspname AS space, c.relname AS name, c.relkind AS kind FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1, 2`;

/** A transaction that sees one moment, and the name under which other sessions see the same one. */
export interface Moment {
  client: Client;
  snapshot: string;
}

export async function inOneMoment<T>(
  context: HostContext,
  connection: Connection,
  use: (moment: Moment) => Promise<T>,
  database?: string,
): Promise<T> {
  const work = async (client: Client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ snapshot: string }>('SELECT pg_export_snapshot() AS snapshot');
    const found = await use({ client, snapshot: rows[0]?.snapshot ?? '' });
    await client.query('COMMIT');
    return found;
  };
  return withClient(context, connection, work, database);
}

/** Reads everything there is: its time is in proportion to the size of the database. */
export function fingerprintOf(context: HostContext, connection: Connection, database?: string): Promise<Fingerprint> {
  const read = (moment: Moment) => fingerprint(context, connection, { ...moment, database });
  return inOneMoment(context, connection, read, database);
}

export async function fingerprint(
  context: HostContext,
  connection: Connection,
  { client, snapshot, database }: Moment & { database?: string | undefined },
): Promise<Fingerprint> {
  const found: Fingerprint = { schema: '', tables: {}, sequences: {} };
  const { rows } = await client.query<{ space: string; name: string; kind: string }>(RELATIONS);
  for (const { space, name, kind } of rows) {
    const at = `${ident(space)}.${ident(name)}`;
    if (kind === 'S') {
      const { rows: states } = await client.query(`SELECT last_value || ' ' || is_called AS state FROM ${at}`);
      found.sequences[`${space}.${name}`] = String(states[0]?.state);
    } else {
      const { rows: sums } = await client.query(`SELECT count(*), ${rowSum('t::text')} AS sum FROM ONLY ${at} t`);
      found.tables[`${space}.${name}`] = { rows: Number(sums[0]?.count), sum: String(sums[0]?.sum) };
    }
  }
  found.schema = await schemaSum(context, connection, { snapshot, database });
  return found;
}

async function schemaSum(
  context: HostContext,
  connection: Connection,
  { snapshot, database }: { snapshot: string; database: string | undefined },
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-pg-'));
  try {
    const file = join(folder, 'schema.sql');
    const argv = ['pg_dump', '--schema-only', '--no-password', `--snapshot=${snapshot}`, `--file=${file}`] as const;
    await withService(context, connection, ({ env }) => succeed(context, argv, { env, quiet: true }), database);
    // Comments name versions, and newer releases guard the script with a random word in \restrict.
    const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => !/^(--|\\|$)/.test(line));
    return sha256Text(lines.join('\n'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What differs, in words for a person; empty when nothing does. Sequences move outside of transactions: between a
 * database in use and its copy they are not compared.
 */
export function differences(
  then: Fingerprint,
  now: Fingerprint,
  { sequences = true }: { sequences?: boolean } = {},
): string[] {
  const tables = names(then.tables, now.tables).flatMap((name) => {
    const [was, is] = [then.tables[name], now.tables[name]];
    if (!was) return [`table ${name} is new (${is?.rows} rows)`];
    if (!is) return [`table ${name} is gone (${was.rows} rows)`];
    if (was.sum === is.sum && was.rows === is.rows) return [];
    return [`table ${name}: ${was.rows === is.rows ? 'other values' : `${was.rows} -> ${is.rows} rows`}`];
  });
  const moved = names(then.sequences, now.sequences).filter((name) => then.sequences[name] !== now.sequences[name]);
  return [
    ...(then.schema === now.schema ? [] : ['the schema']),
    ...tables,
    ...(sequences ? moved.map((name) => `sequence ${name}`) : []),
  ];
}

/**
 * What going back to `then` would destroy: tables with other rows. A table that is gone, or new and empty, is the schema's
 * matter. A migration that touches every row cannot be told from people who did.
 */
export function losses(then: Fingerprint, now: Fingerprint): string[] {
  return Object.entries(now.tables).flatMap(([name, { rows, sum }]) => {
    const was = then.tables[name];
    if (name.endsWith('.alembic_version') || (was ? was.sum === sum && was.rows === rows : rows === 0)) return [];
    return [`${name}: ${was === undefined ? `${rows} rows, new since` : `${was.rows} -> ${rows} rows`}`];
  });
}

function names(...records: object[]): string[] {
  return [...new Set(records.flatMap((record) => Object.keys(record)))].sort();
}
