import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, until } from '@signalbox/protocol/testing';
import { describe, expect, it, vi } from 'vitest';
import { nodeBinary } from '../../lab/furnish-node.ts';
import { nodePaths } from '../../lab/paths.ts';
import { createSandbox, type NodeSandbox, runOn } from '../../lab/sandbox.ts';
import { countDoubleSigns, readSignatures } from '../../lab/signatures.ts';
import { compareSnapshots, takeSnapshot } from '../../lab/snapshot.ts';
import { keyText } from '../../lab/standins/remesd/key.ts';
import { R3mesWorld, valuesOf } from '../support/r3mes-world.ts';

// Several whole runs each, on real programs.
vi.setConfig({ testTimeout: 480_000 });

const SPARE_KEY = 'A0B1C2D3E4F5061728394A5B6C7D8E9F00112233';

/** What both runbooks want to know of a node in a sandbox, where `/` is another folder. */
const home = (node: NodeSandbox, name: string) => ({
  newHome: join(node.paths.home, 'remes', name),
  config: join(node.home, 'config'),
  program: nodeBinary(node.paths),
  units: node.paths.installedUnits,
});

const failed = ({ failures }: { failures: string[] }) => failures.map((line) => line.split(':')[0]);

describe('runbooks/r3mes/node-move', () => {
  it('[T02] [T03] [T05] [T07] [T10] the node signs on in the new home; killed there, it is back in the old one and signs nothing twice', async () => {
    const [rpc = 0, p2p = 0] = await freePorts(2);
    const { world, node } = await R3mesWorld.with((dir) => {
      const made = createSandbox({ dir, name: 'node-1', role: 'node', ports: { rpc, p2p } });
      return { hosts: [made], node: made };
    });
    const params = {
      ...home(node, '.remesd-staging'),
      ...{ home: node.home, file: join(world.dir, 'state.json'), reserve: 5, patience: '60s' },
      ...{ grpc: 'staging-node:9090', rpc: 'http://staging-node:26657', cors: 'https://staging.r3mes.io' },
    };
    // The guide's: `remesd import` is no command at all.
    expect((await runOn(node, [nodeBinary(node.paths), 'import', 'state.json'])).stderr).toContain('unknown command');

    const before = await takeSnapshot(node);
    const id = await world.begin('node-move', { ...params, window: '20s' });
    await world.passed(id, 'same-state');
    const signed = readSignatures(node).at(-1)?.height ?? 0;
    await until('the node to sign in its new home', () => (readSignatures(node).at(-1)?.height ?? 0) > signed + 2);
    await runOn(node, ['systemctl', 'kill', '--signal', 'SIGKILL', 'remesd']);
    const bad = await world.ended(id);
    expect([bad.outcome, failed(bad)]).toEqual(['rolled-back', ['chain-moves']]);
    expect(compareSnapshots(before, await takeSnapshot(node))).toEqual([]);
    expect([existsSync(params.newHome), existsSync(params.file)]).toEqual([false, false]);
    const count = readSignatures(node).length;
    await until('the node to sign on in its old home', () => readSignatures(node).length > count);

    const run = await world.run('node-move', { ...params, window: '2s' });
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'same-state')).toMatchObject({ home: params.newHome });
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
    expect(readSignatures(node).at(-1)?.height).toBeGreaterThan(signed);
  });
});

describe('runbooks/r3mes/chain-state-move', () => {
  it('[T01] [T06] [T07] a second node starts from the exported state with a key of its own; a state that was changed on the way is not taken', async () => {
    const [rpc = 0, p2p = 0, rpc2 = 0, p2p2 = 0] = await freePorts(4);
    const { world, node, spare } = await R3mesWorld.with((dir) => {
      const first = createSandbox({ dir, name: 'node-1', role: 'node', ports: { rpc, p2p } });
      const second = createSandbox({ dir, name: 'node-2', role: 'node', ports: { rpc: rpc2, p2p: p2p2 } });
      writeFileSync(nodePaths(second.home).key, keyText(SPARE_KEY));
      // Both are on one chain.
      copyFileSync(first.paths.labNetwork, second.paths.labNetwork);
      const named = { ...second, labels: { role: 'spare' } };
      return { hosts: [first, named], node: first, spare: named };
    });
    const file = join(world.dir, 'state.json');
    const params = {
      ...home(spare, '.remesd-imported'),
      home: node.home,
      file,
      reserve: 5,
      window: '2s',
      patience: '60s',
    };
    const before = await Promise.all([node, spare].map(takeSnapshot));

    // On its way to the second host the file is cut: valid JSON, another state.
    const id = await world.begin('chain-state-move', params);
    await world.started(id, 'file-brought');
    const exported = readFileSync(file, 'utf8');
    writeFileSync(file, exported.replace(',"miner-3"', ''));
    const confirm = async (note: string) =>
      expect(await world.signalbox(['confirm', id, 'file-brought', '--note', note])).toMatchObject({ exitCode: 0 });
    await confirm('scp');
    // The way back comes to the same person.
    await world.started(id, 'file-brought', 'undo');
    // What was exported is what undo may remove: anything else would be held.
    writeFileSync(file, exported);
    await confirm('removed');
    const bad = await world.ended(id);
    expect([bad.outcome, bad.failures]).toEqual([
      'rolled-back',
      [expect.stringMatching(/^home-made: SB-ACT-CHECKSUM/)],
    ]);
    const after = await Promise.all([node, spare].map(takeSnapshot));
    for (const [i, snapshot] of before.entries()) expect(compareSnapshots(snapshot, after[i] ?? snapshot)).toEqual([]);

    const run = await world.run('chain-state-move', { ...params, shared: true });
    expect([run.outcome, run.failures]).toEqual(['completed', []]);
    expect(valuesOf(run, 'same-state')).toMatchObject({ home: params.newHome });
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
    // The second node has its own key, so nothing of it counts as a signature.
    expect(readFileSync(nodePaths(params.newHome).key, 'utf8')).not.toBe(
      readFileSync(nodePaths(node.home).key, 'utf8'),
    );
    expect(readSignatures(spare)).toEqual([]);
  });
});
