import { KAFKA_VERSIONS } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canMoveKafka, KafkaWorld, NEW_BROKERS, OLD_BROKERS, TOPICS, type Topic } from './kafka-world.ts';
import { sampleHere } from './tools.ts';
import { longestGapMs } from './workload/ledger.ts';

const topics = Object.keys(TOPICS) as Topic[];

let world: KafkaWorld;
beforeAll(async () => {
  if (!canMoveKafka) return;
  world = await KafkaWorld.start();
  await world.load();
});
afterAll(() => world?.end());

/** Everything as it was: by the cluster, Kafka and the services themselves, and not by the run's word. */
async function expectAsBefore(): Promise<void> {
  expect(world.brokersOf('rtu', 'svc', 'api')).toEqual([OLD_BROKERS, OLD_BROKERS, OLD_BROKERS]);
  expect(world.atWork({ rtu: 1, svc: 1, api: 2 })).toBe(true);
  expect(await world.source.connect.status('cdc')).toEqual({ state: 'RUNNING', task: 'RUNNING' });
  expect(await world.offsetsAt(world.destination)).toEqual([]);
  expect(await world.position(world.destination)).toBe('{"offsets":[]}');
  await world.moreInView(50);
}

describe.runIf(canMoveKafka)('kafka-cutover, under load', () => {
  it('[T56] [T63] a producer that nobody listed is named and nobody crosses; abort takes everything back', async () => {
    const run = await world.beginAndGo();
    await world.event(run, 'StepStarted', { step: 'no-way-back' });
    expect((await world.offsetsAt(world.destination)).length).toBeGreaterThan(0);

    // A job that runs once a night. Its consumers have left, and the naive way has proven "lag 0" long ago.
    await world.strayMessage(world.source, 'requests', 'nightly/0');
    await world.event(run, 'Held');
    const broken = (await world.events(run)).flatMap((event) => (event.type === 'FenceBroken' ? [event.step] : []));
    // Its watermark, its lag, or both, whichever was looked at first: either names the topic.
    expect(broken.every((step) => ['still[requests]', 'lag-zero[requests]'].includes(step))).toBe(true);
    await expect(world.approveBy('approvers', run, 'no-way-back')).rejects.toThrow();
    const why = await world.signalbox(['status', run, '--why']);
    expect(why.stdout).toContain('[requests]');

    const aborted = await world.signalbox(['abort', run, '--undo', '--note', 'a nightly job still writes']);
    expect(aborted.stderr).not.toContain('SB-CLI-USAGE');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'rolled-back' });
    // Its message is read by those who came back, and none is at the new place.
    await world.inView('nightly/0');
    for (const topic of topics) expect([topic, await world.high(world.destination, topic)]).toEqual([topic, 0]);
    await expectAsBefore();
  });

  it('[T63] the first step of the guide, taken back, strands a message; a fence of the runbook sees it', async () => {
    await world.strayMessage(world.destination, 'requests', 'switched/0');
    await world.moreInView(50);
    expect(world.view().map(({ n }) => n)).not.toContain('switched/0');
    const { brokers } = world.destination.broker;
    const seen = await sampleHere('kafka.lag', { in: { brokers }, topic: 'requests', groups: ['rtu'] });
    expect(seen).toMatchObject({ maxLag: 1 });
    await world.empty(world.destination, 'requests');
  });

  it('[T60] CDC is made at the new place beforehand, and stopped: what preflight asks for', async () => {
    const ask = (url: string, state: string) =>
      sampleHere('connect.worker', { url, connectors: [{ name: 'cdc' }], state });
    const [old, young] = [world.source.connect.url, world.destination.connect.url];
    expect(await ask(old, 'RUNNING')).toEqual({ version: KAFKA_VERSIONS.old, missing: 0 });
    expect(await ask(young, 'STOPPED')).toMatchObject({ missing: 0 });
    expect(await ask(young, 'RUNNING')).toMatchObject({ lacking: 'cdc is STOPPED, not RUNNING' });
  });

  it('[T57] [T58] moves everything: nothing lost, nothing twice, order kept', async () => {
    const planned = await world.signalbox(['plan', 'RUNBOOK', '--format', 'md']);
    expect(planned).toMatchObject({ exitCode: 0, stderr: '' });
    for (const part of ['no-way-back', 'until 2027-06-30', 'budget 15m', 'cdc']) expect(planned.stdout).toContain(part);

    const begunMs = Date.now();
    const run = await world.beginAndGo();
    await world.event(run, 'StepStarted', { step: 'no-way-back' });
    const before = await Promise.all(topics.map((topic) => world.high(world.source, topic)));
    await world.approveBy('approvers', run, 'no-way-back');
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });
    const tookMs = Date.now() - begunMs;

    // [T57] A topic is looked at when the one before it is read to its end, and not before.
    const order = (await world.events(run)).flatMap((event) => {
      if (event.type !== 'StepStarted' && event.type !== 'StepSucceeded') return [];
      return /^(still|lag-zero)\[/.test(event.step) ? [`${event.type} ${event.step}`] : [];
    });
    const drained = topics.map((topic) => order.indexOf(`StepSucceeded lag-zero[${topic}]`));
    const begun = topics.map((topic) => order.indexOf(`StepStarted still[${topic}]`));
    expect(begun.slice(1).every((at, i) => at > (drained[i] ?? at))).toBe(true);
    // [T58] What was read stays where it was: the approvers knew, and the old cluster has every message.
    expect(await Promise.all(topics.map((topic) => world.high(world.source, topic)))).toEqual(before);

    expect(world.brokersOf('rtu', 'svc', 'api')).toEqual([NEW_BROKERS, NEW_BROKERS, NEW_BROKERS]);
    expect(world.atWork({ rtu: 1, svc: 1, api: 2 })).toBe(true);
    await world.moreInView(50);
    const count = await world.finish();
    expect(count).toMatchObject({ lost: [], duplicated: [], disordered: [] });
    const [requests, view] = [world.requests(), world.view()].map(longestGapMs);
    console.log(
      `kafka-cutover: ${count.written} messages written, 0 lost, 0 twice, 0 out of order; requests stood still for ` +
        `${requests} ms, the view for ${view} ms; the run took ${tookMs} ms`,
    );
    expect(tookMs).toBeLessThan(180_000);
  });

  it('[T55] an updater that checks offsets would have dropped all of it', async () => {
    await world.setEnv('rtu', 'FORCE_CHECK_ON_OFFSET', 'true');
    const partition = await world.furthestBehind('requests');
    await world.strayMessage(world.destination, 'requests', 'update/0', partition);
    await world.untilDropped('update/0');
    expect(world.view().map(({ n }) => n)).not.toContain('update/0');
  });
});
