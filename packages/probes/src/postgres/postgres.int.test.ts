import { codeOf, findPostgres, LocalHost, RealPostgres, requireReal } from '@signalbox/protocol/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';

const real = requireReal('PostgreSQL (Debian: postgresql)', findPostgres() !== undefined);
const connection = { uri: { $secret: 'env:DB' } };

describe.skipIf(!real)('probes of a real PostgreSQL', () => {
  let host: LocalHost;
  let server: RealPostgres;
  beforeAll(async () => {
    [host, server] = [await LocalHost.create(), await RealPostgres.start()];
    host.secrets.set('env:DB', server.uri('postgres'));
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await host[Symbol.asyncDispose]();
  });

  async function session(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: server.uri('postgres') });
    await client.connect();
    return client;
  }
  const sample = (name: string, input: object = {}) => {
    const probe = probeByName.get(name);
    if (!probe) throw new Error(`no probe ${name}`);
    return probe.sample(host, { connection, ...input });
  };

  it('[T13] name the database and its revision, and count who else is there', async () => {
    expect(await sample('postgres.database')).toMatchObject({ database: 'postgres', sessions: 0 });
    expect(await sample('postgres.database')).not.toHaveProperty('revision');
    const client = await session();
    await client.query(`CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('002_x')`);
    expect(await sample('postgres.database')).toMatchObject({ sessions: 1, revision: '002_x', tables: 1 });
    await client.end();
  });

  it('show a table as \\d does', async () => {
    const client = await session();
    await client.query(
      'CREATE TABLE users (id int PRIMARY KEY, credits numeric(12,2)); INSERT INTO users VALUES (1, 2)',
    );
    await client.end();
    expect(await sample('postgres.table', { table: 'users' })).toEqual({
      there: true,
      columns: { id: 'integer', credits: 'numeric(12,2)' },
      indexes: { users_pkey: 'CREATE UNIQUE INDEX users_pkey ON public.users USING btree (id)' },
      rows: 1,
    });
    expect(await sample('postgres.table', { table: 'nobody' })).toEqual({ there: false });
  });

  it('[I11] are no samples when the server refuses, and say nothing of the password', async () => {
    host.secrets.set('env:WRONG', `postgresql://admin:hunter2@127.0.0.1:${server.port}/postgres`);
    const wrong = sample('postgres.database', { connection: { uri: { $secret: 'env:WRONG' } } });
    await expect(wrong).rejects.toThrow(/^(?!.*hunter2).*password authentication failed/s);
    expect(await codeOf(sample('postgres.database', { connection: { uri: { $secret: 'env:WRONG' } } }))).toBe(
      'SB-PROBE-POSTGRES',
    );
  });
});
