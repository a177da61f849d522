import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { actionByName } from '@signalbox/actions';
import { probeByName } from '@signalbox/probes';
import type { JsonObject } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { bootedMiner, bootedNode } from './booted.ts';
import { downloadedBinary, FIRST_HEIGHT } from './furnish-node.ts';
import { hostContext } from './host-context.ts';
import { countExecutions, readMarks } from './marks.ts';
import { crashLoops, highestHeight, outgrowsOthers, signsBeyond } from './naive.ts';
import { runOn, type Sandbox } from './sandbox.ts';
import { countDoubleSigns, readSignatures } from './signatures.ts';
import { compareSnapshots, takeSnapshot } from './snapshot.ts';

/** Runs an action as an agent does: check, then run with the before-receipt. @returns how to take it back. */
async function act(sandbox: Sandbox, name: string, input: JsonObject): Promise<() => Promise<unknown>> {
  const action = actionByName.get(name);
  if (!action) throw new Error(`no action ${name}`);
  const id = `lab-1-${name.replace('.', '-')}-${Object.values(input).length}`;
  const { before, problems } = await action.check(hostContext(sandbox, `${id}-do`), input);
  expect(problems).toEqual([]);
  const receipt = { ...before, ...(await action.run(hostContext(sandbox, `${id}-do`), input, before)) };
  return async () => action.undo?.(hostContext(sandbox, `${id}-undo`), input, receipt);
}

const sample = (sandbox: Sandbox, name: string) => {
  const probe = probeByName.get(name);
  if (!probe) throw new Error(`no probe ${name}`);
  return probe.sample(hostContext(sandbox, 'probe'), probe.schema.parse({}) as JsonObject);
};

describe('real actions and probes on a sandbox host', () => {
  it('[T05] an upgrade that crash-loops is undone in reverse: nothing is signed twice, and the host is as before', async () => {
    const node = await bootedNode();
    await signsBeyond(node, FIRST_HEIGHT);
    const before = await takeSnapshot(node);
    const unit = 'remesd.service';
    const source = downloadedBinary(node.paths, 'v1.0.2-dead');
    const sha256 = createHash('sha256').update(readFileSync(source)).digest('hex');
    const undos = [
      await act(node, 'systemd.stop', { unit }),
      await act(node, 'remesd.backup', { home: node.home, unit }),
      await act(node, 'remesd.install', { unit, source, sha256, version: 'v1.0.2-dead' }),
    ];
    const startUndo = await act(node, 'systemd.start', { unit, stableFor: '1ms' }).catch(() => undefined);
    await crashLoops(node);
    expect(await sample(node, 'cometbft.status')).toMatchObject({ restarts: expect.any(Number) });
    // On a slow machine the release is dead before anybody has looked at it once: then its start failed, and is taken back too.
    if (startUndo) await startUndo();
    else await runOn(node, ['systemctl', 'stop', unit]);
    for (const undo of undos.reverse()) await undo();
    await outgrowsOthers(node, 'v0.9.0');
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
    expect(await sample(node, 'cometbft.status')).toMatchObject({ activeState: 'active', peers: 3 });
    expect(await sample(node, 'remesd.signerHeight')).toMatchObject({ height: expect.any(Number), step: 3 });
    expect(compareSnapshots(before, await takeSnapshot(node))).toEqual([]);
    expect(countExecutions(readMarks(node)).doubles).toBe(0);
  });

  it('[T09] the node runs what was installed; what `go install` leaves in GOPATH/bin it does not, and all commands succeed', async () => {
    const node = await bootedNode();
    const unit = 'remesd.service';
    const source = downloadedBinary(node.paths, 'v1.0.0');
    const built = join(node.paths.home, 'admin', 'go', 'bin', 'remesd');
    for (const argv of [
      ['systemctl', 'stop', 'remesd'],
      ['install', '-D', source, built],
      ['systemctl', 'start', 'remesd'],
    ] as const) {
      expect(await runOn(node, argv)).toMatchObject({ exitCode: 0 });
    }
    expect((await runOn(node, [built, 'version'])).stdout).toBe('v1.0.0\n');
    await signsBeyond(node, highestHeight(node));
    expect(readSignatures(node).at(-1)?.version).toBe('v0.9.0');

    const sha256 = createHash('sha256').update(readFileSync(source)).digest('hex');
    await act(node, 'systemd.stop', { unit });
    await act(node, 'remesd.install', { unit, source, sha256, version: 'v1.0.0' });
    await act(node, 'systemd.start', { unit });
    await outgrowsOthers(node, 'v1.0.0');
    expect(countDoubleSigns(readSignatures(node))).toBe(0);
  });

  it('[T20] a miner’s environment is upgraded and goes back to the freeze', async () => {
    const node = await bootedNode();
    const miner = await bootedMiner('miner-1', node);
    const before = await takeSnapshot(miner);
    const undos = [
      await act(miner, 'systemd.stop', { unit: miner.unit }),
      await act(miner, 'pip.install', { venv: miner.venv, requirement: 'r3mes-miner==1.0.0', unit: miner.unit }),
      await act(miner, 'systemd.start', { unit: miner.unit }),
    ];
    expect(await sample(miner, 'miner.status')).toMatchObject({ version: '1.0.0', activeState: 'active' });
    for (const undo of undos.reverse()) await undo();
    expect(await sample(miner, 'miner.status')).toMatchObject({ version: '0.9.0' });
    expect(compareSnapshots(before, await takeSnapshot(miner))).toEqual([]);
  });
});
