import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canRunCutover, FastDataWorld, NEW_SECRET } from './fast-data-world.ts';
import { MONGOSYNC_UNIT } from './mirror-host.ts';
import { DESTINATION, onHost, SOURCE, sampleOn } from './tools.ts';
import { longestGapMs } from './workload/ledger.ts';

let world: FastDataWorld;
beforeAll(async () => {
  if (!canRunCutover) return;
  world = await FastDataWorld.start({
    runbook: 'mongodb-cutover-mongosync',
    params: ({ syncApi }) => ({ api: syncApi, lagWindow: '5s', reversible: true }),
  });
  await world.load();
});
afterAll(() => world?.end());

describe.runIf(canRunCutover)('[T39] mongodb-cutover-mongosync, under load', () => {
  it('commits at a small lag, and the old source follows afterwards', async () => {
    const run = await world.begin();
    await world.event(run, 'StepStarted', { step: 'in-sync' });
    // For a while after this it does not tell its progress: waited out, and not failed.
    await world.systemctl('kill', '-s', 'SIGKILL', MONGOSYNC_UNIT);
    await world.reach(run, 'go');
    await world.approveBy('operator', run, 'go');
    await world.reach(run, 'no-way-back');
    for (const side of ['source', 'destination'] as const) {
      expect(await world.count(side)).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
    }
    await world.approveBy('approvers', run, 'no-way-back');
    await world.reach(run, 'destination-ttl-resumed');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });
    expect(['crud', 'rtu', 'svc'].map((name) => world.secretOf(name))).toEqual([NEW_SECRET, NEW_SECRET, NEW_SECRET]);

    await world.stopServices();
    const count = await world.count('destination');
    expect(count).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
    const gaps = [world.writes(), world.reads()].map(longestGapMs);
    console.log(
      `mongodb-cutover-mongosync: ${count.acknowledged} writes acknowledged, 0 lost; writes stood still for ${gaps[0]} ms, reads for ${gaps[1]} ms`,
    );
    // Reversed: what was written at the new place is at the old one as well.
    await onHost(world.stage, (host) =>
      until(
        'the old source to have followed',
        async () => (await sampleOn(host, 'mongodb.compare', { left: DESTINATION, right: SOURCE })).differences === 0,
        { timeoutMs: 60_000 },
      ),
    );
  });
});
