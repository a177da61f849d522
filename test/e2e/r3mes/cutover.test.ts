import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, requireReal, until } from '@signalbox/protocol/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createBackend } from '../../lab/furnish-backend.ts';
import { NGINX } from '../../lab/furnish-nginx.ts';
import { addProxyAndGreen } from '../../lab/furnish-proxy.ts';
import { showUnit } from '../../lab/sandbox.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { currentVersion, makeSecret, realSecretsManager, secretIn, secretsManagerOfTest } from '../support/aws.ts';
import { alembicUpgrade, contentOf, postgresOfTest, psql, realBackend } from '../support/databases.ts';
import { certified, confirmChecks, monitoring } from '../support/production.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs, on real programs.
vi.setConfig({ testTimeout: 480_000 });

const real = requireReal('nginx (Debian: nginx-light)', existsSync(NGINX));
const own = (line: string) => !line.includes('__pycache__');

/**
 * People who use the site the whole time, and remember what they got. A connection for each request: nginx closes those that
 * are idle when it is reloaded, and who sends on one at that moment has to ask again (RFC 9112, 9.3.1), as browsers do.
 */
function users(url: string) {
  const got = new Map<string, number>();
  let on = true;
  const one = async () => {
    while (on) {
      const answer = await fetch(`${url}/api/v1/status`, { headers: { connection: 'close' } }).then(
        async (response) => {
          const { environment } = Object(await response.json().catch(() => ({})));
          return response.ok ? String(environment) : String(response.status);
        },
        () => 'no answer',
      );
      got.set(answer, (got.get(answer) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const all = Promise.all([one(), one(), one()]);
  const leave = () => {
    on = false;
    return all;
  };
  onTestFinished(async () => void (await leave()));
  return { got, leave };
}

const [SECRET, NEW_SECRET] = ['r3mes/production', 'r3mes/production-green'];

describe.skipIf(!realBackend || !real || !realSecretsManager())('runbooks/r3mes/production-cutover', () => {
  it('[T19] [T22] [T25] all users are on green and not one request failed; a green that fails them is taken back with the secrets while they are served', async () => {
    const store = await secretsManagerOfTest();
    const server = await postgresOfTest();
    psql(server, 'postgres', 'CREATE DATABASE r3mes');
    const [port = 0, proxy = 0, green = 0] = await freePorts(3);
    const { world, backend, front } = await R3mesWorld.with((dir) => {
      const made = createBackend({ dir, port, databaseUrl: server.uri('r3mes') });
      alembicUpgrade(server, 'r3mes', { folder: made.folder, revision: 'head' });
      return { hosts: [made.sandbox], backend: made, front: addProxyAndGreen(made, { proxy, green }) };
    });
    const checked = join(world.dir, 'checked.env');
    writeFileSync(checked, 'CORS_ALLOWED_ORIGINS=https://app.r3mes.io\n', { mode: 0o600 });
    const secretsFile = join(world.dir, 'production.env');
    writeFileSync(secretsFile, `DATABASE_URL=${server.uri('r3mes')}\n`, { mode: 0o600 });
    const formerly = JSON.stringify({ database_url: 'postgresql://former', redis_url: 'redis://kept' });
    const version = makeSecret(store, SECRET, formerly);
    const { port: apiPort, caFile } = await certified(world.dir, 90);
    const params = {
      ...{ api: 'api.r3mes.io', apiHost: '127.0.0.1', apiPort, caFile, monitoring: await monitoring() },
      ...{ database: { uri: world.secret('database', server.uri('r3mes')) }, file: checked },
      ...{ dumps: join(world.dir, 'dumps'), greenAddress: front.green.address, greenUrl: front.green.url },
      ...{ blueUrl: backend.url },
      ...{ updateSecrets: true, secret: SECRET, secretsFile },
      ...{ upstreamFile: front.upstreamFile, nginxConfig: front.config, accessLog: front.accessLog },
      ...{ publicUrl: front.url, enough: 20, window: '2s', patience: '30s' },
    };
    await until('nginx to serve', () => fetch(front.url).then(({ status }) => status === 404));
    const unit = async (name: string) => (await showUnit(backend.sandbox, name, ['ActiveState'])).ActiveState;
    const approve = async (id: string, secret = SECRET) => {
      await confirmChecks(world, id);
      await world.started(id, 'go');
      const kept = secret === SECRET ? { redis_url: 'redis://kept' } : {};
      expect(JSON.parse(secretIn(store, secret))).toEqual({ ...kept, database_url: server.uri('r3mes') });
      expect((await world.signalbox(['approve', id, 'go', '--yes'])).exitCode).toBe(0);
    };
    const before = [await takeSnapshot(backend.sandbox), contentOf(server, 'r3mes')] as const;

    // Healthy whenever it is asked for its health, and of no use to anybody: what only users see.
    const release = join(front.green.folder, 'server.py');
    const good = readFileSync(release, 'utf8');
    writeFileSync(release, good.replace('return 200, {"version"', 'return 500, {"version"'));
    const unlucky = users(front.url);
    const first = await world.begin('production-cutover', { ...params, checklist: false });
    await approve(first);
    const bad = await world.ended(first);
    await unlucky.leave();
    writeFileSync(release, good);
    expect([bad.outcome, bad.failures.map((line) => line.split(':')[0])]).toEqual(['rolled-back', ['no-request-lost']]);
    expect(compareSnapshots(before[0], await takeSnapshot(backend.sandbox)).filter(own)).toEqual([]);
    expect(await unit(front.green.unit)).toBe('inactive');
    expect([secretIn(store, SECRET), currentVersion(store, SECRET)]).toEqual([formerly, version]);
    expect(unlucky.got.get('500')).toBeGreaterThan(0);
    expect(Object(await (await fetch(`${front.url}/api/v1/status`)).json()).environment).toBe('development');

    const lucky = users(front.url);
    // Into one that is made on the way: moto does not follow a label that was moved back when it takes the next version.
    const second = await world.begin('production-cutover', { ...params, secret: NEW_SECRET });
    await confirmChecks(world, second, 'before');
    await approve(second, NEW_SECRET);
    await confirmChecks(world, second, 'after');
    const run = await world.ended(second);
    await lucky.leave();
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    const { stdout: report } = await world.signalbox(['report', second]);
    expect(report).toMatch(
      /\nchecklist\n +before\/room-for-backups +backend-1 +measured, host\.folder +succeeded +\S+ +freeGib \d/,
    );
    expect(report).toMatch(/\n +checks\/backup-tested +backend-1 +done, postgres\.tryRestore +succeeded/);
    expect(report).toMatch(
      /\n +after\/functions-tested +confirmed +succeeded +\S+ +\S+ +seen: after\/functions-tested\n/,
    );
    // What the run has counted, and what users say: blue, then green, and nothing else.
    expect(valuesOf(run, 'still-none-lost')).toMatchObject({ failed: 0 });
    expect([...lucky.got.keys()].sort()).toEqual(['development', 'production']);
    expect([await unit(backend.sandbox.unit), await unit(front.green.unit)]).toEqual(['inactive', 'active']);
    expect(contentOf(server, 'r3mes')).toEqual(before[1]);
    expect(JSON.parse(secretIn(store, NEW_SECRET))).toEqual({ database_url: server.uri('r3mes') });
    expect(JSON.stringify([bad.log, run.log])).not.toContain(encodeURIComponent(server.password));
  });
});
