import { until } from '@signalbox/protocol/testing';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canRunCutover, FastDataWorld, OLD_SECRET } from './fast-data-world.ts';
import { actionOn, DESTINATION, onHost, SOURCE, sampleOn } from './tools.ts';

async function loadedWorld(): Promise<FastDataWorld> {
  const loaded = await FastDataWorld.start({ runbook: 'mongodb-cutover', params: () => ({ headroomSeconds: 30 }) });
  await loaded.load();
  return loaded;
}

let world: FastDataWorld;
/** Beside it: most of their time both wait for windows to pass. */
let killed: FastDataWorld;
beforeAll(async () => {
  if (!canRunCutover) return;
  [world, killed] = await Promise.all([loadedWorld(), loadedWorld()]);
});
afterAll(async () => {
  await Promise.all([world?.end(), killed?.end()]);
});

/** Everything as it was: by the cluster, the servers and the services themselves, and not by the run's word. */
async function expectAsBefore(): Promise<void> {
  expect(['crud', 'rtu', 'svc'].map((name) => world.secretOf(name))).toEqual([OLD_SECRET, OLD_SECRET, OLD_SECRET]);
  expect(world.atWork({ crud: 1, rtu: 2, svc: 1 })).toBe(true);
  await onHost(world.stage, async (host) => {
    expect(await sampleOn(host, 'mongodb.replicaSet', { in: SOURCE })).toMatchObject({ writeBlock: false });
    for (const side of [SOURCE, DESTINATION]) {
      expect(await actionOn(host, 'mongodb.ttlMonitor', { in: side, enabled: true }).probe('do')).toBe('applied');
    }
  });
  expect(await world.systemctl('show', '-p', 'ActiveState', 'mongomirror.service')).toContain('inactive');
  const before = world.writes().length;
  await world.moreWrites(before + 20);
  expect(await world.count('source')).toMatchObject({ lost: [], duplicated: [] });
}

describe.runIf(canRunCutover)('mongodb-cutover, until the point of no return', { concurrent: true }, () => {
  it.sequential('[I4] a step that fails half-way takes everything back', async () => {
    world.cluster.refuse('svc', 0);
    const run = await world.begin();
    await world.event(run, 'StepStarted', { step: 'go' });
    await world.approveBy('operator', run, 'go');
    await world.event(run, 'StepFailed', { step: 'writers-stopped[svc]' });
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'rolled-back', leftovers: [] });
    world.cluster.refuse('svc', undefined);
    await expectAsBefore();
    // What undo leaves, as the plan says: the copy, and the bookmark. The next try begins with an empty destination.
    const refused = await world.signalbox(['plan', 'RUNBOOK']);
    expect(refused.stdout + refused.stderr).not.toContain('has no bookmark');
    await world.emptyDestination();
  });

  it.sequential('[T36] a writer and [T74] an autoscaler that come back are seen, named, and stop the sequence', async () => {
    const run = await world.begin();
    await world.event(run, 'StepStarted', { step: 'go' });
    await world.approveBy('operator', run, 'go');
    await world.event(run, 'StepStarted', { step: 'no-way-back' });

    world.cluster.scale('rtu', 1);
    const scaled = await world.event(run, 'FenceBroken', { step: 'writers-gone[rtu]' });
    // Wanted again, or there already: a sample asks for the one and then for the other.
    expect(Number(scaled.values.desired) + Number(scaled.values.pods)).toBeGreaterThan(0);
    await world.event(run, 'Held');
    // Nobody crosses now, whoever says yes.
    await expect(world.approveBy('approvers', run, 'no-way-back')).rejects.toThrow();
    // [T40] A reader that writes after all: it was moved to the destination, where nobody but the mirror may write.
    const crud = new MongoClient(world.stage.destination.uri('app'));
    const refused = crud.db('shop').collection('views').insertOne({ n: 'crud/1', service: 'crud' });
    await expect(refused)
      .rejects.toMatchObject({ code: 371 })
      .finally(() => crud.close());
    // Its pod writes to the source, and the source refuses: the block is the second line.
    world.cluster.scale('rtu', 0);
    await world.reach(run, 'no-way-back');

    // A cron job of the administrators, whose account may bypass the block. The mirror is off: this write is only here.
    const stray = world.stage.source.root.db('shop').collection('views');
    await stray.insertOne({ n: 'cron/1', service: 'cron' });
    const broken = await world.event(run, 'FenceBroken', { step: 'source-quiet' });
    expect(broken.values).toMatchObject({ writes: 1, namespaces: 'shop.views' });
    expect(broken.values.lastWrite).toMatch(/^insert in shop\.views \d+ s ago by root@admin from 127\.0\.0\.1:\d+/);
    // The naive way: the lag was 0, both sides were equal, the mirror was turned off. The write would be lost.
    const views = world.stage.destination.root.db('shop').collection('views');
    expect(await views.countDocuments({ n: 'cron/1' })).toBe(0);

    // Which write it was stands in the log, with the break; the screen says which fence, and what can be done.
    const why = await world.signalbox(['status', run, '--why']);
    expect(why.stdout).toContain('source-quiet');
    expect((await world.events(run)).some(({ type }) => type === 'Crossed')).toBe(false);

    const aborted = await world.signalbox(['abort', run, '--undo', '--note', 'a cron job writes']);
    expect(aborted.stderr).not.toContain('SB-CLI-USAGE');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'rolled-back' });
    await expectAsBefore();
    expect(await stray.deleteOne({ n: 'cron/1' })).toMatchObject({ deletedCount: 1 });
    await world.emptyDestination();
  });
});

// One at a few steps; `npm run fast-data:kills` kills each of them at every step.
describe.runIf(canRunCutover)(
  '[I8] mongodb-cutover, while one after the other is killed with -9',
  { concurrent: true },
  () => {
    it('goes on or is held with a reason, and nothing is lost or doubled', async () => {
      const { mesh, stage } = killed;
      const run = await killed.begin();

      await killed.event(run, 'StepStarted', { step: 'in-sync' });
      await until('the mirror to follow', async () => (await mirrorSays(killed)).includes('oplog sync'), {
        timeoutMs: 120_000,
      });
      await killed.systemctl('kill', '-s', 'SIGKILL', 'mongomirror.service');
      const [source] = stage.source.members;
      await source?.kill();
      await source?.start();

      await killed.reach(run, 'go');
      await killed.approveBy('operator', run, 'go');
      await killed.event(run, 'StepAccepted', { step: 'readers-moved[crud]' });
      await mesh.killCoordinator();
      mesh.startCoordinator();

      await killed.event(run, 'StepAccepted', { step: 'writers-stopped[rtu]' });
      await mesh.kill('kube-1');
      mesh.startAgent('kube-1');

      await killed.reach(run, 'lag-zero');
      await mesh.kill('mirror-1');
      mesh.startAgent('mirror-1');
      const [destination] = stage.destination.members;
      await destination?.kill();
      await destination?.start();

      await killed.reach(run, 'no-way-back');
      await killed.approveBy('approvers', run, 'no-way-back');
      await killed.event(run, 'StepAccepted', { step: 'writers-started[svc]' });
      await mesh.killCoordinator();
      mesh.startCoordinator();
      await killed.reach(run, 'destination-ttl-resumed');
      expect(await killed.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });

      await killed.stopServices();
      const count = await killed.count('destination');
      expect(count).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
      console.log(
        `killed: mirror, both mongod, both agents, the coordinator twice; ${count.acknowledged} writes, 0 lost`,
      );
    });
  },
);

async function mirrorSays(world: FastDataWorld): Promise<string> {
  const exec = await world.systemctl('show', '-p', 'ExecStart', 'mongomirror.service');
  const [, port] = /--httpStatusPort (\d+)/.exec(exec) ?? [];
  return await fetch(`http://127.0.0.1:${port}/`).then(
    (response) => response.text(),
    () => '',
  );
}
