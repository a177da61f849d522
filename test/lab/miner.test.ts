import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { bootedMiner, bootedNode } from './booted.ts';
import { type MinerSandbox, runOn } from './sandbox.ts';

async function stats({ ports }: MinerSandbox): Promise<{ shares_submitted: number; version: string }> {
  const response = await fetch(`http://127.0.0.1:${ports.stats}/stats`);
  return JSON.parse(await response.text());
}

const pip = (miner: MinerSandbox, ...args: string[]) => runOn(miner, [join(miner.venv, 'bin', 'pip'), ...args]);

/** Until its first answer a miner that was just started refuses connections. */
const serves = (miner: MinerSandbox) => until('the miner to serve', () => stats(miner).catch(() => undefined));

describe('the lab’s r3mes-miner and pip', () => {
  it('hands in shares while its node answers, and none when it does not', async () => {
    const node = await bootedNode();
    const miner = await bootedMiner('miner-1', node);
    await serves(miner);
    await until('shares', async () => (await stats(miner)).shares_submitted > 1);
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    // What was under way when the node stopped may still count.
    await until('shares to stand still', async () => {
      const before = (await stats(miner)).shares_submitted;
      await new Promise((resolve) => setTimeout(resolve, 400));
      return (await stats(miner)).shares_submitted === before;
    });
  });

  it('runs the version that its environment has, after a restart', async () => {
    const miner = await bootedMiner();
    expect(await serves(miner)).toMatchObject({ version: '0.9.0' });
    expect(await pip(miner, 'install', '--no-input', 'r3mes-miner==1.0.0')).toMatchObject({
      exitCode: 0,
      stdout: 'Successfully installed r3mes-miner-1.0.0\n',
    });
    expect((await stats(miner)).version).toBe('0.9.0');
    await runOn(miner, ['systemctl', 'restart', 'r3mes-miner']);
    expect(await serves(miner)).toMatchObject({ version: '1.0.0' });
  });

  it('freezes, goes back to the freeze, and refuses what the index does not have in pip’s words', async () => {
    const miner = await bootedMiner();
    const before = (await pip(miner, 'freeze')).stdout;
    expect(before).toBe('grpcio==1.66.2\nprotobuf==5.29.5\nr3mes-miner==0.9.0\n');
    const refused = await pip(miner, 'install', 'r3mes-miner==9.9.9');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('(from versions: 0.9.0, 1.0.0)');
    expect((await pip(miner, 'freeze')).stdout).toBe(before);
    await pip(miner, 'install', 'r3mes-miner==1.0.0', 'grpcio==1.76.0');
    await pip(miner, 'install', ...before.trim().split('\n'));
    expect((await pip(miner, 'freeze')).stdout).toBe(before);
    expect(await pip(miner, 'uninstall', '-y', 'r3mes-miner')).toMatchObject({ exitCode: 0 });
    expect((await pip(miner, 'freeze')).stdout).not.toContain('r3mes-miner');
    expect((await runOn(miner, [join(miner.venv, 'bin', 'python'), '-m', 'pip', 'check'])).exitCode).toBe(0);
  });
});
