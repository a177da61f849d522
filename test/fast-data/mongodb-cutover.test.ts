import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canRunCutover, FastDataWorld, NEW_SECRET } from './fast-data-world.ts';
import { guided } from './guide.ts';
import { longestGapMs } from './workload/ledger.ts';

let world: FastDataWorld;
beforeAll(async () => {
  if (!canRunCutover) return;
  world = await FastDataWorld.start({
    runbook: 'mongodb-cutover',
    sets: { members: 3, destinationMembers: 3 },
    params: () => ({ headroomSeconds: 30, changeStreams: 'cdc-orders' }),
  });
});
afterAll(() => world?.end());

describe.runIf(canRunCutover)('under load', () => {
  it('mongodb-cutover moves everything: nothing lost, nothing twice, both sides equal', async () => {
    await world.load();
    const [check, plan, asDocument, start, status, preview, approve, report, ...others] = guided('mongodb-cutover');
    expect(others).toEqual([]);
    for (const line of [check, plan]) expect(await world.guided(line ?? [])).toMatchObject({ exitCode: 0, stderr: '' });
    const planned = await world.guided(asDocument ?? []);
    expect(planned).toMatchObject({ exitCode: 0, stderr: '' });
    // The document that is sent round: who, in which order, what stops, and from where there is no way back.
    // [T43] And who must start anew, because a position in a change stream means nothing to another replica set.
    for (const part of ['cdc-orders', 'no-way-back', 'not operator', 'budget 10m', 'MongoDB 7', '2 of 2 pods']) {
      expect(planned.stdout).toContain(part);
    }
    const begunMs = Date.now();
    const begun = await world.guided(start ?? [], { more: ['--yes', '--detach', '--json'] });
    const run = String(JSON.parse(begun.stdout).started);
    await world.event(run, 'StepStarted', { step: 'go' });
    expect((await world.guided(status ?? [], { run })).stdout).toContain('go: APPROVAL 0 of 1');
    expect((await world.guided(preview ?? [], { run })).stdout).toContain('destination-blocked');
    expect(await world.guided(approve ?? [], { run, more: ['--yes'] })).toMatchObject({ exitCode: 0, stderr: '' });
    await world.event(run, 'StepStarted', { step: 'no-way-back' });

    // Writers are gone and both sides were compared: whatever anybody was told that it is written is on both sides.
    for (const side of ['source', 'destination'] as const) {
      expect(await world.count(side)).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
    }
    await world.approveBy('approvers', run, 'no-way-back');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });
    const tookMs = Date.now() - begunMs;
    expect((await world.guided(report ?? [], { run })).stdout).toContain('no-way-back');

    expect(['crud', 'rtu', 'svc'].map((name) => world.secretOf(name))).toEqual([NEW_SECRET, NEW_SECRET, NEW_SECRET]);
    expect(world.atWork({ crud: 1, rtu: 2, svc: 1 })).toBe(true);
    await world.stopServices();
    const count = await world.count('destination');
    expect(count).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
    const [writes, reads] = [world.writes(), world.reads()].map(longestGapMs);
    console.log(
      `mongodb-cutover: ${count.acknowledged} writes acknowledged, 0 lost, 0 twice; writes stood still for ${writes} ms, ` +
        `reads for ${reads} ms; the run took ${tookMs} ms`,
    );
    // Reads went on: a rolling update may cost a moment, the writers' minute it may not.
    expect(reads).toBeLessThan(Number(writes) / 2);
  });
});
