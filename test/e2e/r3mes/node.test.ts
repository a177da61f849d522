import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, until } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { downloadedBinary, FIRST_HEIGHT, nodeBinary } from '../../lab/furnish-node.ts';
import { atTheTip, naiveBackup, setPace } from '../../lab/naive.ts';
import { createSandbox, type NodeSandbox, runOn, showUnit } from '../../lab/sandbox.ts';
import { countDoubleSigns, readSignatures } from '../../lab/signatures.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs each, on real programs.
vi.setConfig({ testTimeout: 480_000 });

async function scene() {
  const [rpc = 0, p2p = 0] = await freePorts(2);
  const made = await R3mesWorld.with((dir) => {
    const node = createSandbox({ dir, name: 'node-1', role: 'node', ports: { rpc, p2p } });
    // Where a bare `remesd` looks: somebody once tried the program out there.
    cpSync(node.home, triedOut(node), { recursive: true });
    return { hosts: [node], node };
  });
  const file = join(made.world.dir, 'out.json');
  const params = { home: made.node.home, file };
  return { ...made, params, file, rpc: `tcp://127.0.0.1:${rpc}` };
}

const triedOut = ({ paths }: NodeSandbox) => join(paths.home, 'admin', '.remes');

describe('runbooks/r3mes/state-export', () => {
  it('[T01] [T02] [T03] [T26] exports what is JSON with a chain in it; the guide’s redirect is neither, and its home another', async () => {
    const { world, node, params, file } = await scene();
    const remesd = nodeBinary(node.paths);
    // While the node runs, the database is locked. And the default home is another one: that is exported, with success.
    expect((await runOn(node, [remesd, 'export', '--home', node.home])).exitCode).not.toBe(0);
    const wrong = join(world.dir, 'wrong.json');
    expect(await runOn(node, [remesd, 'export', '--output-document', wrong])).toMatchObject({ exitCode: 0 });
    const heightIn = (path: string): number => JSON.parse(readFileSync(path, 'utf8')).initial_height;
    expect(heightIn(wrong)).toBe(FIRST_HEIGHT + 1);
    await expect(world.begin('state-export', { ...params, home: triedOut(node) })).rejects.toThrow(
      /SB-ACT-HOME-MISMATCH/,
    );
    const quick = { ...params, window: '2s', patience: '20s' };

    // The chain's window is 100 blocks of which half may be missed: at 0.2 s a block that is 10 s, and no reserve of 2 minutes.
    const late = await world.run('state-export', quick);
    expect([late.outcome, late.failures.map((line) => line.split(':')[0])]).toEqual(['rolled-back', ['time-enough']]);
    expect(late.events.some((event) => event.type === 'StepStarted' && event.step === 'node-stopped')).toBe(false);

    const run = await world.run('state-export', { ...quick, reserve: 5 });
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'time-enough')).toMatchObject({
      windowBlocks: 100,
      minSigned: 0.5,
      blockSeconds: 0.2,
      budgetSeconds: 10,
    });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ chain_id: 'r3mes-lab-1' });
    expect(heightIn(file)).toBeGreaterThan(heightIn(wrong));

    await runOn(node, ['systemctl', 'stop', 'remesd']);
    const { stdout, exitCode } = await runOn(node, [remesd, 'export', '--home', node.home]);
    expect(exitCode).toBe(0);
    expect(() => JSON.parse(stdout)).toThrow(SyntaxError);

    // A real database is copied for longer than its chain allows. In small: a chain with 50 blocks a second, which allows one.
    setPace(node, 20);
    await runOn(node, ['systemctl', 'start', 'remesd']);
    await atTheTip(node);
    const over = await world.run('state-export', { ...quick, file: `${file}.late`, reserve: 1 });
    expect([over.outcome, over.failures.map((line) => line.split(':')[0])]).toEqual(['rolled-back', ['time-enough']]);
    expect((await showUnit(node, node.unit, ['ActiveState'])).ActiveState).toBe('active');
    const { missed } = await naiveBackup(node, { blocks: 55 });
    // More than half of the chain's window: jailed and slashed for downtime.
    expect(missed).toBeGreaterThan(50);
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
  });

  it('[T01] [T05] takes everything back when the node does not follow the chain afterwards, and signs nothing twice', async () => {
    const { world, node, params, file } = await scene();
    const before = await takeSnapshot(node);
    const id = await world.begin('state-export', { ...params, reserve: 5, window: '20s', patience: '60s' });
    await world.passed(id, 'node-started');
    await runOn(node, ['systemctl', 'kill', '--signal', 'SIGKILL', 'remesd']);
    const run = await world.ended(id);
    expect([run.outcome, run.failures.map((line) => line.split(':')[0])]).toEqual(['rolled-back', ['chain-moves']]);
    expect(compareSnapshots(before, await takeSnapshot(node))).toEqual([]);
    expect(existsSync(file)).toBe(false);
    const signed = readSignatures(node).length;
    await until('the node to sign on', () => readSignatures(node).length > signed);
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
  });
});

describe('runbooks/r3mes/task-pools-export', () => {
  it('[T07] [T08] is refused by the plan when the release has no such query, and keeps JSON of known shape when it has', async () => {
    const { world, node, params, file, rpc } = await scene();
    const remesd = nodeBinary(node.paths);
    // The guide's commands. Cobra prints help for the one and an error for the other, and neither has exported anything.
    const naive = await runOn(node, [remesd, 'query', 'remes', 'task-pools', '--output', 'json']);
    expect([naive.exitCode, naive.stdout.includes('Usage:')]).toEqual([0, true]);
    expect((await runOn(node, [remesd, 'migrate'])).stderr).toContain('unknown command "migrate"');
    await expect(world.begin('task-pools-export', { ...params, rpc })).rejects.toThrow(/no subcommand/);
    expect(existsSync(file)).toBe(false);

    await runOn(node, ['cp', downloadedBinary(node.paths, 'v1.1.0-pools'), remesd]);
    const run = await world.run('task-pools-export', { ...params, rpc });
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(JSON.parse(readFileSync(file, 'utf8')).task_pools).toHaveLength(2);
  });
});
