import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countDoubleSigns } from '../signatures.ts';
import { executions, foundAnew, MINERS, NODE_UPGRADE, signatures, unitOf, upgradeTo } from './chain.ts';
import { changesSince, takeSnapshots } from './host-snapshot.ts';
import { LAB_IS_THERE, sharedLab, started } from './shared-lab.ts';

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

  it('[T09] completes with a good release', async () => {
    const run = await started(NODE_UPGRADE, await upgradeTo(lab(), 'v1.0.0'));
    expect(await run.ended()).toBe('completed');
    expect(await version()).toBe('v1.0.0');
    for (const miner of MINERS) {
      const pip = await lab().host(miner).run(['/home/miner/.local/bin/pip', 'freeze']);
      expect(pip).toContain('r3mes-miner==1.0.0');
    }
    expect(signatures(lab()).at(-1)?.version).toBe('v1.0.0');
    expect(countDoubleSigns(signatures(lab()))).toBe(0);
    expect(executions(lab(), HOSTS).doubles).toBe(0);
  });
});
