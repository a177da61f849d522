import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { createBackend } from '../../lab/furnish-backend.ts';
import { alembicUpgrade, contentOf, postgresOfTest, psql, realBackend } from '../support/databases.ts';
import { certified, confirmChecks, monitoring } from '../support/production.ts';
import { R3mesWorld } from '../support/r3mes-world.ts';

// Several whole runs, on real programs.
vi.setConfig({ testTimeout: 480_000 });

describe.skipIf(!realBackend)('runbooks/r3mes/production-checklist', () => {
  it('[T25] measures what a machine can, stops at a box that is ticked wrongly, and has people put their names to the rest', async () => {
    const server = await postgresOfTest();
    psql(server, 'postgres', 'CREATE DATABASE r3mes');
    const [port = 0] = await freePorts(1);
    const { world, backend } = await R3mesWorld.with((dir) => {
      const made = createBackend({ dir, port, databaseUrl: server.uri('r3mes') });
      alembicUpgrade(server, 'r3mes', { folder: made.folder, revision: 'head' });
      return { hosts: [made.sandbox], backend: made };
    });
    const { port: apiPort, caFile } = await certified(world.dir, 90);
    const file = join(world.dir, 'checked.env');
    const params = {
      database: { uri: world.secret('database', server.uri('r3mes')) },
      file: backend.envFile,
      api: 'api.r3mes.io',
      apiHost: '127.0.0.1',
      apiPort,
      caFile,
      monitoring: await monitoring(),
      dumps: join(world.dir, 'dumps'),
    };
    // The password still stands in the file, whatever the list says.
    const first = await world.run('production-checklist', params);
    expect(first.failures).toEqual([expect.stringMatching(/^checks\/secrets-migrated: .*secrets 1/)]);

    writeFileSync(file, 'CORS_ALLOWED_ORIGINS=https://app.r3mes.io,http://localhost:3000\n', { mode: 0o600 });
    const second = await world.run('production-checklist', { ...params, file });
    expect(second.failures).toEqual([expect.stringMatching(/^checks\/cors-without-localhost: .*localOrigins 1/)]);

    writeFileSync(file, 'CORS_ALLOWED_ORIGINS=https://app.r3mes.io\n', { mode: 0o600 });
    const third = await world.run('production-checklist', { ...params, file, daysLeft: 120 });
    expect(third.failures).toEqual([expect.stringMatching(/^checks\/certificate: .*daysLeft 89/)]);

    const before = contentOf(server, 'r3mes');
    const id = await world.begin('production-checklist', { ...params, file });
    await world.passed(id, 'checks/backup-tested');
    expect(psql(server, 'postgres', `SELECT count(*) FROM pg_database WHERE datname LIKE 'r3mes_%'`)).toBe('0');
    await confirmChecks(world, id);
    const run = await world.ended(id);
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(contentOf(server, 'r3mes')).toEqual(before);
  });
});
