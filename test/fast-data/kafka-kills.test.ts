import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canMoveKafka, KafkaWorld, NEW_BROKERS, OLD_BROKERS } from './kafka-world.ts';
import { LONG_MS, SELDOM } from './world.ts';

let world: KafkaWorld;
beforeAll(async () => {
  if (!canMoveKafka) return;
  world = await KafkaWorld.start();
  await world.load();
});
afterAll(() => world?.end());

describe.runIf(canMoveKafka)('kafka-cutover, when things go wrong', () => {
  it('[I4] a step that fails half-way takes everything back, offsets untouched', async () => {
    // One of the branches of what is done at once: CDC, beside it, is held already.
    world.cluster.refuse('api', 0);
    const run = await world.beginAndGo();
    await world.event(run, 'StepFailed', { step: 'intake-held[api]' });
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'rolled-back', leftovers: [] });
    world.cluster.refuse('api', undefined);
    expect(world.brokersOf('rtu', 'svc', 'api')).toEqual([OLD_BROKERS, OLD_BROKERS, OLD_BROKERS]);
    expect(world.atWork({ rtu: 1, svc: 1, api: 2 })).toBe(true);
    expect(await world.source.connect.status('cdc')).toEqual({ state: 'RUNNING', task: 'RUNNING' });
    expect(await world.offsetsAt(world.destination)).toEqual([]);
    await world.moreInView(50);
  });

  it('[I8] goes on or is held with a reason while one after the other is killed with -9, and nothing is lost', async () => {
    const { mesh } = world;
    const run = await world.beginAndGo();
    await world.event(run, 'StepAccepted', { step: 'intake-held[api]' });
    await mesh.kill('kube-1');
    mesh.startAgent('kube-1');

    await world.reach(run, 'still[requests]');
    let mayRepeat = await world.strike('source');
    await world.reach(run, 'still[projections]');
    await mesh.killCoordinator();
    mesh.startCoordinator();

    await world.reach(run, 'groups-empty');
    await mesh.kill('ops-1');
    mesh.startAgent('ops-1');
    mayRepeat += await world.strike('destination');

    await world.reach(run, 'no-way-back');
    await world.approveBy('approvers', run, 'no-way-back');
    await world.event(run, 'StepAccepted', { step: 'services-on[svc]' });
    await mesh.killCoordinator();
    mesh.startCoordinator();
    await world.reach(run, 'nobody-left-behind[orders]');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });

    expect(world.brokersOf('rtu', 'svc', 'api')).toEqual([NEW_BROKERS, NEW_BROKERS, NEW_BROKERS]);
    // In the middle of a backlog: what was read since the last commit is read again, and not all that was fetched at once.
    const { cluster } = world;
    cluster.scale('rtu', 0);
    await until('the updater to end', () => cluster.pods('rtu').length === 0, { timeoutMs: LONG_MS });
    const before = world.written().length;
    await until('a backlog', () => world.written().length > before + 500, SELDOM);
    cluster.scale('rtu', 1);
    await world.moreInView(100);
    mayRepeat += await world.strike('destination');
    const count = await world.finish();
    expect(count).toMatchObject({ lost: [] });
    expect(count.duplicated.length).toBeLessThanOrEqual(mayRepeat);
    console.log(
      `killed: both agents, both brokers, the coordinator twice, the new broker under load; ${count.written} messages, 0 lost, ` +
        `${count.duplicated.length} twice, of at most ${mayRepeat}, ${count.disordered.length} out of order`,
    );
  });
});
