import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canRunCutover, FastDataWorld } from './fast-data-world.ts';

let world: FastDataWorld;
beforeAll(async () => {
  if (!canRunCutover) return;
  world = await FastDataWorld.start({ runbook: 'mongodb-cutover', params: () => ({ headroomSeconds: 30 }) });
  await world.load();
});
afterAll(() => world?.end());

describe.runIf(canRunCutover)('[I8] mongodb-cutover, while one after the other is killed with -9', () => {
  it('goes on or is held with a reason, and nothing is lost or doubled', async () => {
    const { mesh, stage } = world;
    const run = await world.begin();

    await world.event(run, 'StepStarted', { step: 'in-sync' });
    await until('the mirror to follow', async () => (await mirrorSays()).includes('oplog sync'), {
      timeoutMs: 120_000,
    });
    await world.systemctl('kill', '-s', 'SIGKILL', 'mongomirror.service');
    const [source] = stage.source.members;
    await source?.kill();
    await source?.start();

    await world.reach(run, 'go');
    await world.approveBy('operator', run, 'go');
    await world.event(run, 'StepAccepted', { step: 'readers-moved[crud]' });
    await mesh.killCoordinator();
    mesh.startCoordinator();

    await world.event(run, 'StepAccepted', { step: 'writers-stopped[rtu]' });
    await mesh.kill('kube-1');
    mesh.startAgent('kube-1');

    await world.reach(run, 'lag-zero');
    await mesh.kill('mirror-1');
    mesh.startAgent('mirror-1');
    const [destination] = stage.destination.members;
    await destination?.kill();
    await destination?.start();

    await world.reach(run, 'no-way-back');
    await world.approveBy('approvers', run, 'no-way-back');
    await world.event(run, 'StepAccepted', { step: 'writers-started[svc]' });
    await mesh.killCoordinator();
    mesh.startCoordinator();
    await world.reach(run, 'destination-ttl-resumed');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });

    await world.stopServices();
    const count = await world.count('destination');
    expect(count).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
    console.log(
      `killed: mirror, both mongod, both agents, the coordinator twice; ${count.acknowledged} writes, 0 lost`,
    );
  });
});

async function mirrorSays(): Promise<string> {
  const exec = await world.systemctl('show', '-p', 'ExecStart', 'mongomirror.service');
  const [, port] = /--httpStatusPort (\d+)/.exec(exec) ?? [];
  return await fetch(`http://127.0.0.1:${port}/`).then(
    (response) => response.text(),
    () => '',
  );
}
