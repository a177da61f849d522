import { POSTGRES_APPLICATION } from '@signalbox/protocol/readings';
import type { Client } from 'pg';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { Connection, withClient } from './connection.ts';

const With = z.strictObject({
  connection: Connection.describe('The database, as a parameter of the type `postgres`.'),
});

const FACTS = `SELECT current_database() AS database, current_setting('server_version') AS version,
    pg_database_size(current_database())::text AS bytes,
    (SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::text FROM pg_stat_user_tables) AS writes,
    (SELECT count(*)::int FROM pg_stat_activity a WHERE a.datname = current_database()
       AND a.backend_type = 'client backend' AND a.application_name <> $1) AS sessions,
    (SELECT count(*)::int FROM pg_stat_user_tables) AS tables,
    to_regclass('alembic_version') IS NOT NULL AS alembic`;

export const postgresDatabase = defineProbe<z.infer<typeof With>>({
  name: 'postgres.database',
  version: 1,
  summary: 'A PostgreSQL database: who is connected, how much has been written, and the revision of its schema.',
  schema: With,
  secrets: ['connection'],
  // Sessions hand their counts in at the end of a transaction, at most once a second.
  refreshesMs: 1_000,
  values: {
    database: { type: 'string', help: 'its name: proof that it is the one that is meant' },
    version: { type: 'string', help: 'of the server' },
    sizeBytes: { type: 'number', unit: 'bytes', help: 'on the disk of the server' },
    sessions: { type: 'number', help: 'sessions of others; those of agents are not counted' },
    writes: {
      type: 'number',
      help: 'rows of tables inserted, changed or deleted since the server’s statistics were reset',
    },
    tables: { type: 'number', help: 'how many, those of the system left out' },
    revision: { type: 'string', help: 'what alembic_version says; absent when there is none' },
  },

  async sample(context, { connection }) {
    return withClient(context, connection, async (client) => {
      const { rows } = await client.query<Facts>(FACTS, [POSTGRES_APPLICATION]);
      const [facts] = rows;
      if (!facts) return {};
      const { database, version, bytes, writes, sessions, tables, alembic } = facts;
      const revision = alembic ? await revisionOf(client) : undefined;
      const counted = { sizeBytes: Number(bytes), writes: Number(writes) };
      return { database, version, ...counted, sessions, tables, ...(revision !== undefined && { revision }) };
    });
  },
});

interface Facts {
  database: string;
  version: string;
  bytes: string;
  writes: string;
  sessions: number;
  tables: number;
  alembic: boolean;
}

async function revisionOf(client: Client): Promise<string | undefined> {
  const { rows } = await client.query<{ version_num: string }>('SELECT version_num FROM alembic_version ORDER BY 1');
  return rows.length === 0 ? undefined : rows.map(({ version_num }) => version_num).join(', ');
}
