import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALEMBIC_PROGRAM, freePorts, until } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { createBackend, releaseBackend } from '../../lab/furnish-backend.ts';
import { createDashboard } from '../../lab/furnish-dashboard.ts';
import { downloadedBinary } from '../../lab/furnish-node.ts';
import { createSandbox } from '../../lab/sandbox.ts';
import { countDoubleSigns, readSignatures } from '../../lab/signatures.ts';
import { compareSnapshots, type Snapshot, takeSnapshot } from '../../lab/snapshot.ts';
import { alembicUpgrade, contentOf, postgresOfTest, psql, realBackend } from '../support/databases.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs over four hosts, on real programs.
vi.setConfig({ testTimeout: 600_000 });

const [OLD, NEW] = ['002_add_indexes', '003_add_lora_serving_node'];
const RELEASE = 'v1.0.0';
/** What a service leaves behind when it runs, and git's own records of where it has been. */
const host = (line: string) => !/__pycache__|\/\.git\//.test(line);

describe.skipIf(!realBackend)('runbooks/r3mes/platform-upgrade', () => {
  it('[T05] [T14] [T17] [T21] a dashboard that is wrong at the very end takes back miners, node, backend and database; else all are new, and days later old again', async () => {
    const server = await postgresOfTest();
    psql(server, 'postgres', 'CREATE DATABASE r3mes');
    const [port = 0, rpc = 0, p2p = 0, stats = 0, site = 0] = await freePorts(5);
    const made = await R3mesWorld.with((dir) => {
      const backend = createBackend({ dir, port, databaseUrl: server.uri('r3mes'), needs: [OLD] });
      releaseBackend(backend, [{ version: '1.0.0', needs: [NEW] }]);
      appendFileSync(backend.envFile, 'OLD_CORS_ORIGINS=https://app.r3mes.io\n');
      alembicUpgrade(server, 'r3mes', { folder: backend.folder, revision: OLD });
      psql(server, 'r3mes', `INSERT INTO users (wallet_address) SELECT 'remes1' || i FROM generate_series(1, 50) i`);
      const node = createSandbox({ dir, name: 'node-1', role: 'node', ports: { rpc, p2p } });
      const miner = createSandbox({ dir, name: 'miner-1', role: 'miner', ports: { stats, nodeRpc: rpc } });
      const web = createDashboard({ dir, port: site, built: { NEXT_PUBLIC_API_URL: 'http://old.r3mes.io' } });
      return { hosts: [backend.sandbox, node, miner, web.sandbox], backend, node, web };
    });
    const { world, hosts, backend, node, web } = made;
    const binary = downloadedBinary(node.paths, RELEASE);
    const params = {
      ...{ database: { uri: world.secret('database', server.uri('r3mes')) }, backendRevision: 'v1.0.0' },
      ...{ code: backend.folder, alembic: ALEMBIC_PROGRAM, backendFile: backend.envFile, backendUrl: backend.url },
      ...{ dumps: join(world.dir, 'dumps'), quietFor: '2s', window: '2s', patience: '30s' },
      ...{ binary, sha256: createHash('sha256').update(readFileSync(binary)).digest('hex'), version: RELEASE },
      ...{ home: node.home, minerPackage: 'r3mes-miner==1.0.0', standardise: false, checklist: false },
      ...{ dashboard: web.folder, dashboardUrl: `${web.url}/`, gone: ['http://old.r3mes.io'] },
      ...{ api: 'https://api.r3mes.io', blockchainRpc: 'https://rpc.r3mes.io', socket: 'wss://api.r3mes.io' },
    };
    const platform = () => Promise.all(hosts.map(takeSnapshot));
    const jsonOf = async (url: string) => Object(await (await fetch(url)).json());
    const running = async () => [
      (await jsonOf(`${backend.url}/api/v1/status`)).version,
      (await jsonOf(`http://127.0.0.1:${rpc}/abci_info`)).result.response.version,
      (await jsonOf(`http://127.0.0.1:${stats}/stats`)).version,
    ];
    const expectAsIn = async (before: readonly Snapshot[]) => {
      const after = await platform();
      for (const [i, snapshot] of before.entries()) {
        expect(compareSnapshots(snapshot, after[i] ?? snapshot).filter(host), hosts[i]?.name).toEqual([]);
      }
      expect(contentOf(server, 'r3mes')).toEqual(rows);
      expect(await running()).toEqual(versions);
    };

    const pinned = join(web.folder, 'pinned.json');
    writeFileSync(pinned, JSON.stringify({ NEXT_PUBLIC_WS_URL: 'ws://old.r3mes.io' }));
    const [before, rows] = [await platform(), contentOf(server, 'r3mes')];
    const versions = await until('all to answer', () => running().catch(() => undefined));
    const bad = await world.run('platform-upgrade', { ...params, patience: '20s' }, 240_000);
    expect([bad.outcome, bad.failures.map((line) => line.split(':')[0])]).toEqual([
      'rolled-back',
      ['dashboard/served'],
    ]);
    await expectAsIn(before);

    rmSync(pinned);
    const old = await platform();
    const run = await world.run('platform-upgrade', params, 240_000);
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'backend/healthy')).toMatchObject({ body: { revision: NEW, users: 50 } });
    expect(valuesOf(run, 'miner/really-is-it')).toMatchObject({ version: '1.0.0', consistent: true, running: true });
    expect(valuesOf(run, 'dashboard/served')).toMatchObject({ missing: 0, stale: 0 });
    const signatures = readSignatures(node);
    expect([signatures.at(-1)?.version, countDoubleSigns(signatures)]).toEqual([RELEASE, 0]);
    // One clock over all of it.
    const report = await world.signalbox(['report', run.id]);
    expect(report.stdout).toMatch(/platform/);

    // Days later: nothing but what was kept is known, and who takes it back is neither who began it nor who agrees.
    psql(server, 'r3mes', `INSERT INTO users (wallet_address) VALUES ('came later')`);
    await world.restartCoordinator();
    const type = (...args: string[]) =>
      world.signalbox(['undo', run.id, '--yes', '--detach', ...args], { as: 'deputy' });
    const refused = await type();
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/blocks \d+ to \d+, by what was signed here.*public\.users: 50 -> 51 rows/),
    ]);
    expect(await type('--accept-loss')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--note') });
    const signed = Number(readSignatures(node).at(-1)?.height);
    const note = 'orders are lost by it';
    const undone = await world.undone(run.id, ['--accept-loss', '--note', note]);
    expect([undone.outcome, undone.failures]).toEqual(['completed', []]);
    expect(undone.shown).toMatch(/loses: public\.users: 50 -> 51 rows/);
    await expectAsIn(old);
    await until('the old node to sign on', () => Number(readSignatures(node).at(-1)?.height) > signed);
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
    const heights = readSignatures(node).map(({ height }) => Number(height));
    expect(heights).toEqual(heights.toSorted((a, b) => a - b));
    const { stdout } = await world.signalbox(['report', undone.id, '--format', 'md']);
    for (const word of ['deputy', 'undo-approved approved by approver', note]) expect(stdout).toContain(word);
    // What came since is not deleted: it stands beside.
    const aside = psql(server, 'postgres', `SELECT datname FROM pg_database WHERE datname LIKE 'r3mes_before%'`);
    const users = aside.split('\n').map((name) => psql(server, name, 'SELECT count(*) FROM users'));
    expect(users).toContain('51');
  });
});
