import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RealDocker } from '@signalbox/actions/testing';
import { ALEMBIC_PROGRAM, freePorts, until } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { createBackend, releaseBackend } from '../../lab/furnish-backend.ts';
import { BACKEND_IMAGE, runByCompose } from '../../lab/furnish-compose.ts';
import { runOn } from '../../lab/sandbox.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { alembicUpgrade, contentOf, postgresOfTest, psql, realBackend } from '../support/databases.ts';
import { dockerOfTest, realDocker } from '../support/docker.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs each, on real programs.
vi.setConfig({ testTimeout: 480_000 });

const [OLD, NEW] = ['002_add_indexes', '003_add_lora_serving_node'];
const QUICK = { window: '2s', patience: '8s', alembic: ALEMBIC_PROGRAM };
/** What a service leaves behind when it runs, and git's own records of where it has been. */
const host = (line: string) => !/__pycache__|\/\.git\//.test(line);

/** A backend of release 0.9.0 with users in its database, whose code is a clone. @param engine runs it, where no unit does. */
async function scene(engine?: RealDocker) {
  const server = await postgresOfTest();
  psql(server, 'postgres', 'CREATE DATABASE r3mes');
  const [port = 0] = await freePorts(1);
  const made = await R3mesWorld.with((dir) => {
    const backend = createBackend({ dir, port, databaseUrl: server.uri('r3mes'), needs: [OLD] });
    appendFileSync(backend.envFile, 'OLD_CORS_ORIGINS=https://app.r3mes.io\n');
    const compose = engine && runByCompose(backend);
    releaseBackend(backend, [
      { version: '1.0.0', needs: [NEW] },
      { version: '1.0.1-bad', needs: ['004_not_there'] },
    ]);
    alembicUpgrade(server, 'r3mes', { folder: backend.folder, revision: OLD });
    psql(
      server,
      'r3mes',
      `INSERT INTO users (wallet_address, credits) SELECT 'remes1' || i, i FROM generate_series(1, 50) i`,
    );
    if (engine && compose) engine.compose(compose, 'up', '--detach', '--build', 'backend');
    return { hosts: [backend.sandbox], backend, compose };
  });
  const { world, backend } = made;
  const params = {
    ...QUICK,
    code: backend.folder,
    file: backend.envFile,
    url: backend.url,
    dumps: join(world.dir, 'dumps'),
  };
  const head = async () =>
    (await runOn(backend.sandbox, ['git', '-C', backend.folder, 'describe', '--tags'])).stdout.trim();
  return { ...made, server, params, head, database: { uri: world.secret('database', server.uri('r3mes')) } };
}

describe.skipIf(!realBackend)('runbooks/r3mes/backend-upgrade', () => {
  it('[T17] [T19] [T21] a release that cannot live with the schema goes back with code, schema, rows and variables; a good one stays', async () => {
    const { world, backend, server, params, head, database } = await scene();
    const before = [contentOf(server, 'r3mes'), await takeSnapshot(backend.sandbox), await head()] as const;
    const badId = await world.begin('backend-upgrade', { ...params, database, quietFor: '2s', revision: 'v1.0.1-bad' });
    // The guide's check is content with this release; the gate asks deeper.
    await world.passed(badId, 'release/answers');
    expect(await (await fetch(`${backend.url}/health`)).json()).toEqual({ status: 'healthy' });
    expect((await fetch(`${backend.url}/health/database`)).status).toBe(503);
    const bad = await world.ended(badId);
    expect([bad.outcome, bad.failures.map((line) => line.split(':')[0])]).toEqual(['rolled-back', ['release/healthy']]);
    expect([contentOf(server, 'r3mes'), await head()]).toEqual([before[0], before[2]]);
    expect(compareSnapshots(before[1], await takeSnapshot(backend.sandbox)).filter(host)).toEqual([]);

    const run = await world.run('backend-upgrade', { ...params, database, quietFor: '2s', revision: 'v1.0.0' });
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'release/healthy')).toMatchObject({ body: { status: 'healthy', revision: NEW, users: 50 } });
    expect(await head()).toBe('v1.0.0');
    const { headers } = await fetch(`${backend.url}/api/v1/status`);
    expect(headers.get('access-control-allow-origin')).toBe('https://app.r3mes.io');

    // Days later, by a run of its own. Not while that would lose what people have written since.
    psql(server, 'r3mes', `INSERT INTO users (wallet_address) VALUES ('came later')`);
    const refused = await world.signalbox(['undo', run.id, '--yes', '--detach']);
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringMatching(/public\.users: 50 -> 51 rows/)]);
    psql(server, 'r3mes', `DELETE FROM users WHERE wallet_address = 'came later'`);
    // Nor where it would stop half-way, whatever may be lost.
    const [edited, code] = [join(backend.folder, 'server.py'), readFileSync(join(backend.folder, 'server.py'))];
    appendFileSync(edited, '# mended at night\n');
    const dirty = await world.signalbox(['undo', run.id, '--yes', '--detach', '--accept-loss', '--note', 'all of it']);
    expect([dirty.exitCode, dirty.stderr]).toEqual([1, expect.stringMatching(/server\.py.*SB-ACT-GIT-DIRTY/)]);
    writeFileSync(edited, code);

    const undone = await world.undone(run.id);
    expect([undone.outcome, undone.failures]).toEqual(['completed', []]);
    expect(valuesOf(undone, 'release/old-healthy')).toMatchObject({ body: { revision: OLD, users: 50 } });
    expect([contentOf(server, 'r3mes'), await head()]).toEqual([before[0], before[2]]);
    expect(compareSnapshots(before[1], await takeSnapshot(backend.sandbox)).filter(host)).toEqual([]);
    const again = await world.signalbox(['undo', undone.id, '--yes', '--detach']);
    expect([again.exitCode, again.stderr]).toEqual([1, expect.stringContaining('has no way back')]);
    expect(JSON.stringify([bad.log, run.log])).not.toContain(encodeURIComponent(server.password));
  });
});

describe.skipIf(!realBackend || !realDocker())('runbooks/r3mes/backend-upgrade of a service of compose', () => {
  it('[T17] [T19] [T21] image, code, schema, rows and variables go back together, and the old container serves; a good release stays', async () => {
    const engine = await dockerOfTest();
    const { world, backend, server, params, head, database, compose } = await scene(engine);
    const by = { ...params, database, quietFor: '2s', runs: 'docker', compose, socket: engine.socket };
    const id = () => engine.run('ps', '--quiet', '--filter', 'label=com.docker.compose.service=backend');
    const images = () => ({
      runs: engine.run('inspect', '--format', '{{.Image}}', id()),
      named: engine.run('image', 'inspect', '--format', '{{.Id}}', BACKEND_IMAGE),
    });
    const serves = async () => {
      const { headers } = await fetch(`${backend.url}/health`);
      const { version } = Object(await (await fetch(`${backend.url}/api/v1/status`)).json());
      return { version, origin: headers.get('access-control-allow-origin') };
    };
    await until('the container to serve', () => serves().catch(() => false));
    const all = async () => [contentOf(server, 'r3mes'), await head(), images(), await serves()];
    const [before, files] = [await all(), await takeSnapshot(backend.sandbox)];

    // Nothing is further than this: new schema, new variables, new code, and a new image that has taken the name of the old one.
    const badId = await world.begin('backend-upgrade', { ...by, revision: 'v1.0.1-bad' });
    await world.passed(badId, 'release/answers');
    expect(await serves()).toMatchObject({ version: '1.0.1-bad', origin: 'https://app.r3mes.io' });
    expect(images().named).not.toBe(Object(before[2]).named);
    const bad = await world.ended(badId);
    expect([bad.outcome, bad.failures.map((line) => line.split(':')[0])]).toEqual(['rolled-back', ['release/healthy']]);
    await until('the old container to serve', () => serves().catch(() => false));
    expect(await all()).toEqual(before);
    expect(compareSnapshots(files, await takeSnapshot(backend.sandbox)).filter(host)).toEqual([]);

    const run = await world.run('backend-upgrade', { ...by, revision: 'v1.0.0' });
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'release/healthy')).toMatchObject({ body: { status: 'healthy', revision: NEW, users: 50 } });
    expect(await serves()).toEqual({ version: '1.0.0', origin: 'https://app.r3mes.io' });
    const { runs, named } = images();
    expect(named).toBe(runs);
    // On record for good: both images by their content, and the commit that the container mounts.
    const commit = (await runOn(backend.sandbox, ['git', '-C', backend.folder, 'rev-parse', 'HEAD'])).stdout.trim();
    const { steps } = JSON.parse((await world.signalbox(['--json', 'report', run.id])).stdout);
    expect(steps.find(({ step }: { step: string }) => step === 'release/container-started').receipt).toMatchObject({
      image: runs,
      commit,
      container: { image: Object(before[2]).runs, imageName: BACKEND_IMAGE },
    });
    expect(JSON.stringify([bad.log, run.log])).not.toContain(encodeURIComponent(server.password));
  });
});

describe.skipIf(!realBackend)('runbooks/r3mes/backend-move', () => {
  it('[T10] [T13] [T16] the backend works on the new database with the new environment; when it does not answer, all is as before', async () => {
    const { world, backend, server, params, database } = await scene();
    psql(server, 'postgres', 'CREATE DATABASE staging');
    const move = {
      ...params,
      from: database,
      to: { uri: world.secret('staging', server.uri('staging')) },
      redis: world.secret('redis', 'redis://:hunter2@staging-redis:6379/0'),
      blockchainRpc: 'http://staging-node:26657',
      cors: 'https://staging.r3mes.io',
      checklist: false,
    };
    const before = [
      contentOf(server, 'r3mes'),
      contentOf(server, 'staging'),
      await takeSnapshot(backend.sandbox),
    ] as const;
    const nobody = `http://127.0.0.1:${(await freePorts(1))[0]}`;
    const broken = await world.run('backend-move', { ...move, url: nobody });
    expect(broken.outcome).toBe('rolled-back');
    expect(contentOf(server, 'r3mes')).toEqual(before[0]);
    expect(contentOf(server, 'staging')).toEqual(before[1]);
    expect(compareSnapshots(before[2], await takeSnapshot(backend.sandbox)).filter(host)).toEqual([]);

    // The release on the host knows only the old schema; moving does not upgrade it.
    const blind = await world.run('backend-move', move);
    expect(blind.failures.map((line) => line.split(':')[0])).toEqual(['healthy']);
    for (const args of [
      ['fetch', '--quiet', '--tags'],
      ['checkout', '--quiet', 'v1.0.0'],
    ]) {
      expect(await runOn(backend.sandbox, ['git', '-C', backend.folder, ...args])).toMatchObject({ exitCode: 0 });
    }
    const run = await world.run('backend-move', move);
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'healthy')).toMatchObject({ body: { revision: NEW, users: 0 } });
    expect(JSON.stringify([broken.log, run.log])).not.toMatch(/hunter2|p%40ss/);
  });
});
