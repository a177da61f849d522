import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALEMBIC_PROGRAM, freePorts, type RealPostgres } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { type BackendSandbox, createBackend, writeBackend } from '../../lab/furnish-backend.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { alembicUpgrade, contentOf, postgresOfTest, psql, realBackend } from '../support/databases.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs each, on real programs.
vi.setConfig({ testTimeout: 480_000 });

const USERS = `INSERT INTO users (wallet_address, credits, created_at)
  SELECT 'remes1' || i, i * 1.5, '2025-12-24'::timestamptz + i * interval '1 hour' FROM generate_series(1, 200) i`;

interface Scene {
  world: R3mesWorld;
  server: RealPostgres;
  backend: BackendSandbox;
  params: Record<string, unknown>;
}

/** A backend of release 0.9.0 on revision 002, with users. */
async function scene({ needs }: { needs?: readonly string[] } = {}): Promise<Scene> {
  const server = await postgresOfTest();
  psql(server, 'postgres', 'CREATE DATABASE r3mes');
  const [port = 0] = await freePorts(1);
  const { world, backend } = await R3mesWorld.with((dir) => {
    const made = createBackend({ dir, port, databaseUrl: server.uri('r3mes'), ...(needs && { needs }) });
    alembicUpgrade(server, 'r3mes', { folder: made.folder, revision: '002_add_indexes' });
    psql(server, 'r3mes', USERS);
    return { hosts: [made.sandbox], backend: made };
  });
  const params = {
    database: { uri: world.secret('database', server.uri('r3mes')) },
    code: backend.folder,
    alembic: ALEMBIC_PROGRAM,
    dumps: join(world.dir, 'dumps'),
    url: backend.url,
    quietFor: '2s',
    window: '2s',
    patience: '8s',
  };
  return { world, server, backend, params };
}

/** A migration as people write them: what it drops, its downgrade makes anew, empty. */
const LOSSY = `revision = '003_add_lora_serving_node'
down_revision = '002_add_indexes'
from alembic import op
def upgrade():
    op.execute("ALTER TABLE users DROP COLUMN credits")
def downgrade():
    op.execute("ALTER TABLE users ADD COLUMN credits numeric")
    op.execute("CREATE INDEX by_credits ON users(credits)")
`;

describe.skipIf(!realBackend)('runbooks/r3mes/database-migrate', () => {
  it('[T13] [T16] [T19] brings the schema to the head and further statements with it, and the backend is healthy to the bottom', async () => {
    const { world, server, params } = await scene();
    const run = await world.run('database-migrate', {
      ...params,
      tables: ['users'],
      statements: [
        {
          name: 'api-key-hash',
          sql: 'ALTER TABLE users ADD COLUMN api_key_hash varchar(255); UPDATE users SET api_key_hash = md5(wallet_address)',
          undo: 'ALTER TABLE users DROP COLUMN api_key_hash',
          done: `SELECT count(*) = 1 FROM information_schema.columns WHERE column_name = 'api_key_hash'`,
        },
      ],
    });
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'before')).toMatchObject({ revision: '002_add_indexes', database: 'r3mes' });
    expect(valuesOf(run, 'after')).toMatchObject({ revision: '003_add_lora_serving_node' });
    expect(valuesOf(run, 'shape[users]')).toMatchObject({
      rows: 200,
      columns: { api_key_hash: 'character varying(255)' },
    });
    expect(psql(server, 'r3mes', 'SELECT count(api_key_hash) FROM users')).toBe('200');
    // [I9] the password is in the log of nothing.
    expect(JSON.stringify(run.log)).not.toContain(encodeURIComponent(server.password));
  });

  it('[T14] [T15] takes back a migration that loses data and that the backend cannot live with: every row is as before', async () => {
    const { world, server, backend, params } = await scene({ needs: ['002_add_indexes'] });
    writeFileSync(join(backend.folder, 'alembic', 'versions', '003_add_lora_serving_node.py'), LOSSY);
    const [database, host] = [contentOf(server, 'r3mes'), await takeSnapshot(backend.sandbox)];
    const run = await world.run('database-migrate', params);
    expect(run.outcome).toBe('rolled-back');
    expect(run.failures.join('\n')).toContain('SB-GATE');
    expect(contentOf(server, 'r3mes')).toEqual(database);
    const same = compareSnapshots(host, await takeSnapshot(backend.sandbox)).filter(
      (line) => !line.includes('__pycache__'),
    );
    expect(same).toEqual([]);
    // What the downgrade alone would have left: the column, and nothing in it.
    const aside = psql(server, 'postgres', `SELECT datname FROM pg_database WHERE datname LIKE 'r3mes_before%'`);
    expect(psql(server, aside, 'SELECT count(*), count(credits) FROM users')).toBe('200|0');
  });

  it('[T24] changes nothing at all when somebody else goes on writing', async () => {
    const { world, server, params } = await scene();
    psql(server, 'r3mes', 'CREATE TABLE beats (at timestamptz)');
    const before = contentOf(server, 'r3mes').filter((line) => !line.includes('beats'));
    const cron = setInterval(() => psql(server, 'r3mes', 'INSERT INTO beats VALUES (now())'), 400);
    try {
      const run = await world.run('database-migrate', params);
      expect(run.outcome).toBe('rolled-back');
      expect(run.events.some((event) => event.type === 'StepStarted' && event.step === 'dumped')).toBe(false);
    } finally {
      clearInterval(cron);
    }
    expect(contentOf(server, 'r3mes').filter((line) => !line.includes('beats'))).toEqual(before);
  });
});

describe.skipIf(!realBackend)('runbooks/r3mes/users-move', () => {
  it('[T24] carries users with count and checksum, and takes exactly them back when the next one is there already', async () => {
    const { world, server, backend, params } = await scene();
    psql(server, 'postgres', 'CREATE DATABASE production');
    writeBackend(backend.folder, { version: '0.9.0', needs: [] });
    alembicUpgrade(server, 'production', { folder: backend.folder, revision: 'head' });
    const move = {
      from: params.database,
      to: { uri: world.secret('production', server.uri('production')) },
      columns: ['wallet_address', 'credits', 'created_at'],
      file: join(world.dir, 'users.csv'),
      quietFor: '2s',
    };
    const run = await world.run('users-move', move);
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    const sums = (database: string) =>
      psql(
        server,
        database,
        `SELECT count(*), md5(string_agg(u::text, ',' ORDER BY u::text)) FROM
        (SELECT wallet_address, credits, created_at FROM users) u`,
      );
    expect(sums('production')).toBe(sums('r3mes'));
    const production = contentOf(server, 'production');
    const again = await world.run('users-move', { ...move, file: join(world.dir, 'again.csv') });
    expect(again.outcome).toBe('rolled-back');
    expect(again.failures.join('\n')).toContain('200 rows are in users already');
    expect(contentOf(server, 'production')).toEqual(production);
  });
});
