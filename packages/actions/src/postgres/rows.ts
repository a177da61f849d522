import type { Client } from 'pg';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { ident } from './connection.ts';
import { rowSum } from './fingerprint.ts';

/** Plain names only: with quotes a runbook's reader sees another table than PostgreSQL. */
const Name = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'a plain name in lower case');

export const ROWS = {
  table: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/, 'a plain name, or schema.name')
    .describe('The table, with its schema when that is not public.'),
  columns: z.array(Name).min(1).describe('The columns, in the order of the file.'),
  key: Name.describe('The column that tells rows apart; it must be among the columns.'),
};

export const tableOf = (name: string) => name.split('.').map(ident).join('.');
export const listOf = (columns: readonly string[]) => columns.map(ident).join(', ');

/** Columns that the table does not have: they differ between revisions of a schema [T24]. */
export async function missingColumns(client: Client, table: string, columns: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [tableOf(table)],
  );
  const have = new Set(rows.map(({ name }) => name));
  return columns.filter((column) => !have.has(column));
}

export async function columnProblems(client: Client, table: string, columns: readonly string[]) {
  const missing = await missingColumns(client, table, columns);
  if (missing.length === 0) return [];
  return [actionError('SB-ACT-COLUMN-MISSING', `${table} has no ${missing.join(', ')}`).failure];
}

/** Count and checksum of some columns of a table or subquery, equal in two databases exactly when their rows are. */
export async function sumOf(
  client: Client,
  from: string,
  columns: readonly string[],
): Promise<{ rows: number; sum: string }> {
  const { rows } = await client.query(
    `SELECT count(*), ${rowSum(`ROW(${listOf(columns)})::text`)} AS sum FROM ${from}`,
  );
  return { rows: Number(rows[0]?.count), sum: String(rows[0]?.sum) };
}
