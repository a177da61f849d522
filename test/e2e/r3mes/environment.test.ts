import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, until } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { BACKEND_UNIT, createBackend } from '../../lab/furnish-backend.ts';
import { createSandbox, runOn } from '../../lab/sandbox.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs each, on real programs.
vi.setConfig({ testTimeout: 480_000 });

const QUICK = { window: '2s', patience: '8s' };
/** Where browsers may come from while nobody has said. */
const LOCAL = 'http://localhost:3000';
const code = (line: string) => !line.includes('__pycache__');

describe('runbooks/r3mes/env-standardise', () => {
  it('[T10] [T11] [T12] the service answers with what stood under the old name; a table that breaks it is taken back', async () => {
    const [port = 0] = await freePorts(1);
    const { world, backend } = await R3mesWorld.with((dir) => {
      const made = createBackend({ dir, port, databaseUrl: 'postgresql://u:hunter2@127.0.0.1:1/r3mes' });
      return { hosts: [made.sandbox], backend: made };
    });
    const origin = async () => (await fetch(`${backend.url}/health`)).headers.get('access-control-allow-origin');
    const params = { ...QUICK, file: backend.envFile, health: `${backend.url}/api/v1/status` };
    const byHand = async (command: string) => {
      expect(await runOn(backend.sandbox, ['sh', '-c', command])).toMatchObject({ exitCode: 0 });
      await until('the backend to answer', () => origin().catch(() => false));
      return origin();
    };
    // What a shell exports reaches no service. And the guide's new names in the file change nothing of what the unit says.
    expect(await byHand(`export CORS_ALLOWED_ORIGINS=https://x; systemctl restart ${BACKEND_UNIT}`)).toBe(LOCAL);
    const unitSays = join(backend.sandbox.paths.installedUnits, `${BACKEND_UNIT}.d`);
    mkdirSync(unitSays);
    writeFileSync(join(unitSays, 'own.conf'), '[Service]\nEnvironment=OLD_CORS_ORIGINS=https://x\n');
    const renamed = `sed -i s/^OLD_CORS_ORIGINS=/CORS_ALLOWED_ORIGINS=/ ${backend.envFile}`;
    expect(await byHand(`${renamed}; systemctl daemon-reload; systemctl restart ${BACKEND_UNIT}`)).toBe(LOCAL);
    const told = await world.rehearse('env-standardise', params);
    expect([told.exitCode, told.stdout]).toEqual([
      1,
      expect.stringMatching(/MISSING +renamed .*OLD_CORS_ORIGINS, and not from .*SB-ACT-ENV-ELSEWHERE/s),
    ]);
    rmSync(unitSays, { recursive: true });
    appendFileSync(backend.envFile, 'OLD_CORS_ORIGINS=https://app.r3mes.io\n# the end\n');
    expect(await byHand(`systemctl daemon-reload; systemctl restart ${BACKEND_UNIT}`)).toBe(LOCAL);
    const before = await takeSnapshot(backend.sandbox);

    // Rehearsed first, which changes nothing and says what is missing; and a look as somebody takes it who is called at night.
    const ready = await world.rehearse('env-standardise', params);
    expect([ready.exitCode, ready.stdout]).toEqual([
      0,
      expect.stringMatching(/\n {2}ok +renamed +backend-1 .*\+CORS_ALLOWED_ORIGINS/),
    ]);
    const missing = await world.rehearse('env-standardise', { ...params, file: `${backend.envFile}.none` });
    expect([missing.exitCode, missing.stdout]).toEqual([
      1,
      expect.stringMatching(/MISSING +renamed .*SB-ACT-SOURCE-MISSING/),
    ]);
    const seen = await world.signalbox(['diagnose', 'backend-1']);
    expect([seen.exitCode, seen.stdout]).toEqual([
      0,
      expect.stringMatching(/r3mes-backend\.service +active \(running\)/),
    ]);
    expect(seen.stdout).toMatch(/variables of r3mes-backend\.service\n +.*DATABASE_URL/);
    expect(seen.stdout).toMatch(/\nschema\n +\S+\/backend +the scripts lead to 003_add_lora_serving_node/);
    // Nothing listens where its database is said to be.
    expect(seen.stdout).toMatch(/\/backend +alembic current: .*OperationalError.*127\.0\.0\.1/);
    expect(seen.stdout).toMatch(/\nversions\n +agent +signalbox \d/);
    expect(seen.stdout).not.toContain('hunter2');
    expect(compareSnapshots(before, await takeSnapshot(backend.sandbox)).filter(code)).toEqual([]);

    const broken = await world.run('env-standardise', { ...params, rename: [{ from: 'PORT', to: 'R3MES_PORT' }] });
    expect(broken.outcome).toBe('rolled-back');
    expect(await origin()).toBe(LOCAL);
    expect(compareSnapshots(before, await takeSnapshot(backend.sandbox)).filter(code)).toEqual([]);

    const run = await world.run('env-standardise', params);
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(await origin()).toBe('https://app.r3mes.io');
    expect(readFileSync(backend.envFile, 'utf8')).toMatch(
      /CORS_ALLOWED_ORIGINS=https:\/\/app\.r3mes\.io\n# the end\n$/,
    );
    expect(JSON.stringify([broken.log, run.log])).not.toContain('hunter2');
  });
});

describe('runbooks/r3mes/miner-move', () => {
  it('[T10] the running miner has the new environment and mines; with a node that is not there, all is as before', async () => {
    const [rpc = 0, p2p = 0, stats = 0] = await freePorts(3);
    const { world, node, miner } = await R3mesWorld.with((dir) => {
      const made = createSandbox({ dir, name: 'node-1', role: 'node', ports: { rpc, p2p } });
      const mined = createSandbox({ dir, name: 'miner-1', role: 'miner', ports: { stats, nodeRpc: rpc } });
      return { hosts: [made, mined], node: made, miner: mined };
    });
    const before = await takeSnapshot(miner);
    const params = {
      ...QUICK,
      backend: 'https://staging-api.r3mes.io',
      ipfs: 'http://staging-ipfs:5001',
      units: miner.paths.installedUnits,
    };
    const [nobody = 0] = await freePorts(1);
    const broken = await world.run('miner-move', { ...params, nodeGrpc: `127.0.0.1:${nobody}` });
    expect(broken.outcome).toBe('rolled-back');
    expect(compareSnapshots(before, await takeSnapshot(miner))).toEqual([]);
    const run = await world.run('miner-move', { ...params, nodeGrpc: `127.0.0.1:${node.ports.rpc}` });
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'really-has-them')).toMatchObject({ asExpected: true });
  });
});
