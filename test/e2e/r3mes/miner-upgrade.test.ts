import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, requireReal } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { writeMinerEnv } from '../../lab/furnish-miner.ts';
import { createPipMiner, installMiner, minerWheels, type PipMiner, python } from '../../lab/furnish-pip-miner.ts';
import { createSandbox, runOn, type Sandbox, showUnit } from '../../lab/sandbox.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs, on real programs.
vi.setConfig({ testTimeout: 480_000 });

const real = requireReal('Python 3 with venv and pip (Debian: python3-venv python3-pip)', python !== undefined);
/** Not Python's compiled files, which appear when a program first runs, nor pip's notes on who asked for a package. */
const own = (line: string) => !/__pycache__|dist-info\/(RECORD|REQUESTED) /.test(line);
const pid = async (host: Sandbox) => (await showUnit(host, host.unit, ['MainPID'])).MainPID;
const freeze = async ({ sandbox, venv }: PipMiner) => (await runOn(sandbox, [`${venv}/bin/pip`, 'freeze'])).stdout;
const version = async (port = 0) => Object(await (await fetch(`http://127.0.0.1:${port}/stats`)).json()).version;

describe.skipIf(!real)('runbooks/r3mes/miner-upgrade', () => {
  it('[T10] [T11] [T20] [T22] a release whose journal has an error goes back behind its canary; a good one runs everywhere, until somebody takes it back', async () => {
    const [rpc = 0, p2p = 0, ...stats] = await freePorts(4);
    const { world, canary, second, envFile } = await R3mesWorld.with(async (dir) => {
      const node = createSandbox({ dir, name: 'node-1', role: 'node', ports: { rpc, p2p } });
      const env = writeMinerEnv(join(dir, 'miner.env'), `127.0.0.1:${rpc}`);
      const [port = 0, other = 0] = stats;
      // The canary has a real environment; the one behind it only has to be left alone, or to follow.
      const first = createPipMiner({ dir, name: 'miner-1', stats: port, envFile: env });
      await installMiner(first, await minerWheels(join(dir, 'wheels')));
      const behind = createSandbox({ dir, name: 'miner-2', role: 'miner', ports: { stats: other, nodeRpc: rpc } });
      return { hosts: [node, first.sandbox, behind], canary: first, second: behind, envFile: env };
    });
    const [before, untouched] = [await takeSnapshot(canary.sandbox), await pid(second)];
    const old = await freeze(canary);
    const env = readFileSync(envFile, 'utf8');
    const params = (release: string) => ({
      package: `r3mes-miner==${release}`,
      file: envFile,
      window: '3s',
      patience: '20s',
    });

    const bad = await world.run('miner-upgrade', params('1.0.1'));
    expect([bad.outcome, bad.failures.map((line) => line.split(':')[0])]).toEqual([
      'rolled-back',
      ['release/journal-clean[batch=1]'],
    ]);
    expect(compareSnapshots(before, await takeSnapshot(canary.sandbox)).filter(own)).toEqual([]);
    expect([await freeze(canary), readFileSync(envFile, 'utf8'), await version(stats[0])]).toEqual([old, env, '0.9.0']);
    // Behind the canary: the other one still has the process that it had.
    expect(await pid(second)).toBe(untouched);

    const run = await world.run('miner-upgrade', params('1.0.0'));
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(await Promise.all(stats.map(version))).toEqual(['1.0.0', '1.0.0']);
    expect(valuesOf(run, 'release/really-is-it')).toMatchObject({ version: '1.0.0', consistent: true, running: true });
    expect(readFileSync(envFile, 'utf8')).toContain('R3MES_NODE_GRPC_URL=127.0.0.1');
    expect(await pid(second)).not.toBe(untouched);

    await world.restartCoordinator();
    const undone = await world.undone(run.id);
    expect([undone.outcome, undone.failures]).toEqual(['completed', []]);
    expect(compareSnapshots(before, await takeSnapshot(canary.sandbox)).filter(own)).toEqual([]);
    expect([await freeze(canary), readFileSync(envFile, 'utf8'), await Promise.all(stats.map(version))]).toEqual([
      ...[old, env],
      ['0.9.0', '0.9.0'],
    ]);
    expect(valuesOf(undone, 'old-ones-mine')).toMatchObject({ activeState: 'active', version: '0.9.0' });
  });
});
