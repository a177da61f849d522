import { appendFileSync, copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePorts } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { createBackend } from '../../lab/furnish-backend.ts';
import { REPOSITORY } from '../../lab/programs.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { realSecretsManager, secretIn, secretsManagerOfTest } from '../support/aws.ts';
import { alembicUpgrade, postgresOfTest, psql, realBackend } from '../support/databases.ts';
import { R3mesWorld } from '../support/r3mes-world.ts';

// Several whole runs, on real programs.
vi.setConfig({ testTimeout: 480_000 });

const ID = 'r3mes/production';
const own = (line: string) => !line.includes('__pycache__');

describe.skipIf(!realBackend || !realSecretsManager())('runbooks/r3mes/secrets-move', () => {
  it('[I9] [T12] [T19] [T25] values go from host to store and are read back; the old file goes last, and never for a release that cannot fetch them', async () => {
    const store = await secretsManagerOfTest();
    const server = await postgresOfTest();
    psql(server, 'postgres', 'CREATE DATABASE r3mes');
    const [port = 0] = await freePorts(1);
    const { world, backend } = await R3mesWorld.with((dir) => {
      const made = createBackend({ dir, port, databaseUrl: server.uri('r3mes') });
      alembicUpgrade(server, 'r3mes', { folder: made.folder, revision: 'head' });
      // Its own way to the store: the role of a machine, elsewhere.
      for (const [name, value] of Object.entries(store.environment)) appendFileSync(made.envFile, `${name}=${value}\n`);
      return { hosts: [made.sandbox], backend: made };
    });
    const params = { file: backend.envFile, health: `${backend.url}/health/database`, window: '2s', patience: '8s' };
    const before = await takeSnapshot(backend.sandbox);

    // This release reads its environment and nothing else, so it does not come up without the variable.
    const bad = await world.run('secrets-move', params);
    expect([bad.outcome, bad.failures.map((line) => line.split(':')[0])]).toEqual(['rolled-back', ['started']]);
    expect(secretIn(store, ID)).toBe('ResourceNotFoundException');
    expect(compareSnapshots(before, await takeSnapshot(backend.sandbox)).filter(own)).toEqual([]);

    copyFileSync(join(REPOSITORY, 'test/lab/backend/secret_manager.py'), join(backend.folder, 'secret_manager.py'));
    const id = await world.begin('secrets-move', params);
    await world.started(id, 'go');
    // Healthy, and still everything is there to go back.
    const kept = () => readdirSync(dirname(backend.envFile)).filter((name) => name.includes('.signalbox-'));
    expect(kept()).toHaveLength(1);
    expect((await world.signalbox(['approve', id, 'go', '--yes'])).exitCode).toBe(0);
    const run = await world.ended(id);
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(JSON.parse(secretIn(store, ID))).toEqual({ database_url: server.uri('r3mes') });
    expect([kept(), existsSync(backend.envFile)]).toEqual([[], true]);
    expect(readFileSync(backend.envFile, 'utf8')).not.toContain('DATABASE_URL');

    // From now on runbooks name it where it is: the agent asks the store itself.
    const reference = { uri: `aws:${ID}#database_url` };
    const used = await world.rehearse('database-migrate', { database: reference, code: backend.folder });
    expect(used.stdout).toMatch(/ok +dumped +backend-1 +r3mes .*PostgreSQL/);
    const password = encodeURIComponent(server.password);
    expect(JSON.stringify([bad.log, run.log]) + used.stdout).not.toContain(password);
    for (const daemon of ['coordinator', 'backend-1']) {
      expect(readFileSync(world.mesh.logFile(daemon), 'utf8')).not.toContain(password);
    }
  });
});
