import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { Connection, withClient } from './connection.ts';

const With = z.strictObject({
  connection: Connection.describe('The database, as a parameter of the type `postgres`.'),
  table: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/, 'a plain name, or schema.name')
    .describe('The table, with its schema when that is not public.'),
});

export const postgresTable = defineProbe<z.infer<typeof With>>({
  name: 'postgres.table',
  version: 1,
  summary: 'Columns, indexes and number of rows of a table: what `\\d` shows.',
  schema: With,
  secrets: ['connection'],
  values: {
    there: { type: 'boolean', help: 'whether the database has the table' },
    columns: { type: 'object', help: 'type by name of the column: `columns.credits`' },
    indexes: { type: 'object', help: 'definition by name of the index' },
    rows: { type: 'number', help: 'counted, so its time is in proportion to the table' },
  },

  async sample(context, { connection, table }) {
    return withClient(context, connection, async (client) => {
      const { rows: found } = await client.query<{ oid: number | null }>('SELECT to_regclass($1)::oid AS oid', [table]);
      const oid = found[0]?.oid;
      if (oid === undefined || oid === null) return { there: false };
      const columns = await client.query<{ name: string; type: string }>(
        `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
           WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
        [oid],
      );
      const indexes = await client.query<{ name: string; type: string }>(
        `SELECT relname AS name, pg_get_indexdef(indexrelid) AS type FROM pg_index JOIN pg_class ON oid = indexrelid
           WHERE indrelid = $1 ORDER BY 1`,
        [oid],
      );
      const counted = await client.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
      const named = (rows: { name: string; type: string }[]) => Object.fromEntries(rows.map((r) => [r.name, r.type]));
      return {
        there: true,
        columns: named(columns.rows),
        indexes: named(indexes.rows),
        rows: Number(counted.rows[0]?.count),
      };
    });
  },
});
