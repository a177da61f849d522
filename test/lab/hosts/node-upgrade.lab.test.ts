import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { countDoubleSigns } from '../signatures.ts';
import { executions, foundAnew, MINERS, NODE_UPGRADE, signatures, unitOf, upgradeTo } from './chain.ts';
import { changesSince, takeSnapshots } from './host-snapshot.ts';
import { LabRun } from './lab-run.ts';
import { willing } from './people.ts';
import { LAB_IS_THERE, sharedLab, started } from './shared-lab.ts';
import { signalbox } from './signalbox.ts';

const HOSTS = ['node-1', ...MINERS];
const lab = () => sharedLab();
const version = async () => (await lab().host('node-1').run(['/usr/local/bin/remesd', 'version'])).trim();

describe.runIf(LAB_IS_THERE)('node-upgrade, unchanged, on hosts with systemd', () => {
  beforeAll(() => foundAnew(lab()));
  afterAll(() => foundAnew(lab()));

  it('[I4] [T22] takes a release back that crashes again and again: files, units and versions as before, no double sign', async () => {
    const before = await takeSnapshots(
      HOSTS.map((name) => lab().host(name)),
      unitOf,
    );
    const run = await started(NODE_UPGRADE, await upgradeTo(lab(), 'v1.0.1-bad'));
    expect(await run.ended()).toBe('rolled-back');
    expect(await changesSince(before, unitOf)).toEqual([]);
    expect(await version()).toBe('v0.9.0');
    expect(countDoubleSigns(signatures(lab()))).toBe(0);
    expect(executions(lab(), HOSTS).doubles).toBe(0);
  });

  it('[T09] completes with a good release; signalbox undo brings the old one back, and signs nothing twice', async () => {
    const before = await takeSnapshots(
      HOSTS.map((name) => lab().host(name)),
      unitOf,
    );
    const run = await started(NODE_UPGRADE, await upgradeTo(lab(), 'v1.0.0'));
    expect(await run.ended()).toBe('completed');
    expect(await version()).toBe('v1.0.0');
    for (const miner of MINERS) {
      const pip = await lab().host(miner).run(['/home/miner/.local/bin/pip', 'freeze']);
      expect(pip).toContain('r3mes-miner==1.0.0');
    }
    expect(signatures(lab()).at(-1)?.version).toBe('v1.0.0');

    const refused = await signalbox(lab(), 'undo', run.id, '--yes', '--detach');
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/blocks \d+ to \d+, by what was signed/),
    ]);
    const undone = await LabRun.undo(lab(), run.id, 'the release is bad after all', willing(lab()));
    onTestFinished(() => undone[Symbol.asyncDispose]());
    expect(await undone.ended()).toBe('completed');
    expect(await changesSince(before, unitOf)).toEqual([]);
    expect(await version()).toBe('v0.9.0');
    const heights = signatures(lab()).map(({ height }) => Number(height));
    expect(heights).toEqual(heights.toSorted((a, b) => a - b));
    expect(countDoubleSigns(signatures(lab()))).toBe(0);
    expect(executions(lab(), HOSTS).doubles).toBe(0);
  });
});
