import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { bootedNode } from './booted.ts';
import { downloadedBinary, FIRST_HEIGHT, nodeBinary } from './furnish-node.ts';
import { crashLoops, highestHeight, naiveRollback, naiveUpgrade, outgrowsOthers, signsBeyond } from './naive.ts';
import { nodePaths } from './paths.ts';
import { type NodeSandbox, runOn } from './sandbox.ts';
import { countDoubleSigns, lowestSignedHeight, readSignatures } from './signatures.ts';

async function status({ ports }: NodeSandbox) {
  const response = await fetch(`http://127.0.0.1:${ports.rpc}/status`);
  return JSON.parse(await response.text());
}

const signerHeight = ({ home }: NodeSandbox) =>
  Number(JSON.parse(readFileSync(nodePaths(home).signerState, 'utf8')).height);

describe('the lab’s remesd', () => {
  it('serves /status in the form of CometBFT and signs rising heights', async () => {
    const node = await bootedNode();
    await signsBeyond(node, FIRST_HEIGHT + 2);
    const { id, result } = await status(node);
    expect(id).toBe(-1);
    expect(result.sync_info).toMatchObject({ catching_up: false, latest_block_height: expect.stringMatching(/^\d+$/) });
    expect(Date.now() - Date.parse(result.sync_info.latest_block_time)).toBeLessThan(5_000);
    const heights = readSignatures(node).map(({ height }) => height);
    expect(heights).toEqual(heights.map((_, i) => FIRST_HEIGHT + 1 + i));
    expect(signerHeight(node)).toBeGreaterThanOrEqual(heights.at(-1) ?? 0);
  });

  it('[T01] holds a lock on its data: export and a second node fail while it runs', async () => {
    const node = await bootedNode();
    await signsBeyond(node, FIRST_HEIGHT);
    const out = join(node.paths.root, 'state.json');
    const argv = ['remesd', 'export', '--home', node.home, '--output-document', out] as const;
    expect(await runOn(node, argv)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('unavailable') });
    expect(await runOn(node, ['remesd', 'start', '--home', node.home])).toMatchObject({ exitCode: 1 });
    expect(existsSync(out)).toBe(false);
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    expect(await runOn(node, argv)).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(readFileSync(out, 'utf8'))).toMatchObject({ app_state: {}, initial_height: expect.any(Number) });
  });

  it('[T02] speaks on standard output before it exports, so that a redirect is no JSON', async () => {
    const node = await bootedNode();
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    const { stdout } = await runOn(node, ['remesd', 'export', '--home', node.home]);
    expect(() => JSON.parse(stdout)).toThrow();
  });

  it('catches up with blocks that were made without it and never signs a height twice', async () => {
    const node = await bootedNode();
    await signsBeyond(node, FIRST_HEIGHT + 1);
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    const stoppedAt = highestHeight(node);
    await until('the network to move on', () => Date.now() > (readSignatures(node).at(-1)?.atMs ?? 0) + 800);
    expect(highestHeight(node)).toBe(stoppedAt);
    await runOn(node, ['systemctl', 'start', 'remesd']);
    await signsBeyond(node, stoppedAt + 4);
    await until('the node to have caught up', async () => {
      const { result } = await status(node);
      return result.sync_info.catching_up === false;
    });
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
  });

  it('asks only its state file: what is not above it is not signed, and a rewound file signs again', async () => {
    const node = await bootedNode();
    await signsBeyond(node, FIRST_HEIGHT + 1);
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    const path = nodePaths(node.home).signerState;
    const ahead = highestHeight(node) + 8;
    writeFileSync(path, JSON.stringify({ height: String(ahead), round: 0, step: 3 }));
    await runOn(node, ['systemctl', 'start', 'remesd']);
    await signsBeyond(node, ahead);
    const signed = readSignatures(node).map(({ height }) => height);
    expect(signed.filter((height) => height > ahead - 7 && height <= ahead)).toEqual([]);
  });

  it('refuses data that a newer release has migrated', async () => {
    const node = await bootedNode();
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    cpSync(nodeBinary(node.paths), join(node.paths.root, 'old'));
    cpSync(downloadedBinary(node.paths, 'v1.0.0'), nodeBinary(node.paths));
    await runOn(node, ['systemctl', 'start', 'remesd']);
    await signsBeyond(node, highestHeight(node));
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    cpSync(join(node.paths.root, 'old'), nodeBinary(node.paths));
    await runOn(node, ['systemctl', 'start', 'remesd']);
    await crashLoops(node);
    const log = readFileSync(join(node.paths.logs, 'remesd.service.log'), 'utf8');
    expect(log).toContain('panic: application database has schema 2; v0.9.0 knows schemas up to 1');
  });

  it('[T07] has no migrate and no import', async () => {
    const node = await bootedNode();
    for (const word of ['migrate', 'import']) {
      expect(await runOn(node, ['remesd', word])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('unknown command'),
      });
    }
    expect((await runOn(node, ['remesd', 'version'])).stdout).toBe('v0.9.0\n');
    expect((await runOn(node, ['remesd', '--help'])).stdout).toContain('export');
  });

  it('[T05] signs twice after the rollback that people do by hand', async () => {
    const node = await bootedNode();
    await signsBeyond(node, FIRST_HEIGHT + 1);
    await naiveUpgrade(node, 'v1.0.2-dead');
    await crashLoops(node);
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
    await naiveRollback(node);
    await outgrowsOthers(node, 'v0.9.0');
    const signatures = readSignatures(node);
    expect(countDoubleSigns(signatures)).toBeGreaterThan(0);
    expect(lowestSignedHeight(signatures)).toBe(FIRST_HEIGHT + 1);
  });

  it('[T05] signs nothing twice when the higher signer state is kept', async () => {
    const node = await bootedNode();
    await signsBeyond(node, FIRST_HEIGHT + 1);
    await naiveUpgrade(node, 'v1.0.2-dead');
    await crashLoops(node);
    await runOn(node, ['systemctl', 'stop', 'remesd']);
    const { data, signerState } = nodePaths(node.home);
    const kept = readFileSync(signerState);
    const spoken = highestHeight(node);
    rmSync(data, { recursive: true });
    cpSync(join(node.home, 'data.backup'), data, { recursive: true });
    writeFileSync(signerState, kept);
    cpSync(join(node.paths.home, 'admin-remesd.v0.x'), nodeBinary(node.paths));
    await runOn(node, ['systemctl', 'start', 'remesd']);
    await signsBeyond(node, spoken);
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
  });
});
