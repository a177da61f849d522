import { STREAMS } from '@signalbox/protocol';
import { deferred } from 'nats';
import { describe, expect, it } from 'vitest';
import type { Delivery } from './port.ts';
import { bytes, codeOf, type Lab, startLab, text, until } from './test-fixture.ts';

const HOUR_MS = 3_600_000;

/** A handler that acknowledges, and the ids that it was called with. */
function recorder() {
  const ids: string[] = [];
  const handler = async (delivery: Delivery) => {
    ids.push(delivery.id);
    delivery.ack();
  };
  return { ids, handler };
}

/** Messages of a consumer that the stream still wants to hear about. */
async function outstanding(lab: Lab, stream: string, host: string): Promise<number> {
  const core = await lab.bare(lab.mesh.keys.coordinator);
  const info = await (await core.jetstreamManager()).consumers.info(stream, host);
  await core.close();
  return info.num_pending + info.num_ack_pending;
}

describe('commands', () => {
  it('[I1] reach the handler once, and their stored copies are acknowledged behind its back', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1', 'a2']);
    const agent = await lab.agent('a1');
    const { ids, handler } = recorder();
    await agent.commands(handler);
    for (let i = 0; i < 100; i++) await coordinator.sendCommand('a1', `c:${i}`, bytes(`do ${i}`), HOUR_MS);
    await until(async () => (await outstanding(lab, STREAMS.commands, 'a1')) === 0);
    expect(ids).toEqual(Array.from({ length: 100 }, (_, i) => `c:${i}`));
  });

  it('wait for a host that is away, also for one that was never there', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1', 'a2']);
    for (let i = 0; i < 150; i++) await coordinator.sendCommand('a1', `c:${i}`, bytes('do'), HOUR_MS);
    const agent = await lab.agent('a1');
    const { ids, handler } = recorder();
    await agent.commands(handler);
    await until(() => ids.length === 150);
    await agent.close();
    await coordinator.sendCommand('a1', 'late', bytes('do'), HOUR_MS);
    const again = recorder();
    await (await lab.agent('a1')).commands(again.handler);
    await until(() => again.ids.includes('late'));
    expect(ids).not.toContain('late');
  });

  it('reach an agent that listens before the coordinator has made anything', async () => {
    const lab = await startLab();
    const { ids, handler } = recorder();
    await (await lab.agent('a1')).commands(handler);
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    await coordinator.sendCommand('a1', 'c:1', bytes('do'), HOUR_MS);
    await until(async () => (await outstanding(lab, STREAMS.commands, 'a1')) === 0);
    expect(ids).toEqual(['c:1']);
  });

  it('come again when the handler threw, without ending the subscription', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    let calls = 0;
    await (await lab.agent('a1')).commands(async (delivery) => {
      calls += 1;
      if (calls < 3) throw new Error('not now');
      delivery.ack();
    });
    await coordinator.sendCommand('a1', 'c:1', bytes('do'), HOUR_MS);
    await until(async () => (await outstanding(lab, STREAMS.commands, 'a1')) === 0);
    expect(calls).toBe(3);
  });

  it('do not wait for one another', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    const blocked = deferred<void>();
    const done: string[] = [];
    await (await lab.agent('a1')).commands(async ({ id, ack }) => {
      if (id === 'slow') await blocked;
      ack();
      done.push(id);
    });
    await coordinator.sendCommand('a1', 'slow', bytes('do'), HOUR_MS);
    await coordinator.sendCommand('a1', 'quick', bytes('do'), HOUR_MS);
    await until(() => done.includes('quick'));
    expect(done).toEqual(['quick']);
    blocked.resolve();
    await until(() => done.includes('slow'));
  });

  it('[I7] leave the stream when their time is over', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    await coordinator.sendCommand('a1', 'short', bytes('do'), 1_000);
    await coordinator.sendCommand('a1', 'long', bytes('do'), HOUR_MS);
    const jsm = await (await lab.bare(lab.mesh.keys.coordinator)).jetstreamManager();
    await until(async () => (await jsm.streams.info(STREAMS.commands)).state.messages === 1);
    const { ids, handler } = recorder();
    await (await lab.agent('a1')).commands(handler);
    await until(() => ids.length > 0);
    expect(ids).toEqual(['long']);
  });

  it('[I1] are stored once under an id; other content is a conflict that no host gets to see', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    const seen: string[] = [];
    await (await lab.agent('a1')).commands(async ({ id, data, ack }) => {
      seen.push(`${id} ${text(data)}`);
      ack();
    });
    await coordinator.sendCommand('a1', 'c:1', bytes('stop'), HOUR_MS);
    await coordinator.sendCommand('a1', 'c:1', bytes('stop'), HOUR_MS);
    expect(await codeOf(() => coordinator.sendCommand('a1', 'c:1', bytes('start'), HOUR_MS))).toBe(
      'SB-BUS-ID-CONFLICT',
    );
    await coordinator.sendCommand('a1', 'c:2', bytes('end'), HOUR_MS);
    await until(() => seen.includes('c:2 end'));
    expect(seen).toEqual(['c:1 stop', 'c:2 end']);
  });

  it('stop when they are unsubscribed', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    const agent = await lab.agent('a1');
    const [first, second] = [recorder(), recorder()];
    const stop = await agent.commands(first.handler);
    await coordinator.sendCommand('a1', 'c:1', bytes('do'), HOUR_MS);
    await until(() => first.ids.length === 1);
    await stop();
    await agent.commands(second.handler);
    await coordinator.sendCommand('a1', 'c:2', bytes('do'), HOUR_MS);
    await until(() => second.ids.includes('c:2'));
    expect(first.ids).toEqual(['c:1']);
  });
});

describe('controls', () => {
  it('never wait behind work', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    const agent = await lab.agent('a1');
    const blocked = deferred<void>();
    let started = 0;
    await agent.commands(async () => {
      started += 1;
      await blocked;
    });
    const controls = recorder();
    await agent.controls(controls.handler);
    for (let i = 0; i < 70; i++) await coordinator.sendCommand('a1', `c:${i}`, bytes('do'), HOUR_MS);
    await until(() => started === 70);
    await coordinator.sendControl('a1', 'void:1', bytes('void'));
    await until(async () => (await outstanding(lab, STREAMS.controls, 'a1')) === 0);
    expect(controls.ids).toEqual(['void:1']);
    blocked.resolve();
  });
});

describe('reports', () => {
  it('come in order from the first on, each until it is acknowledged, also to the next leader', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1', 'a2']);
    const agent = await lab.agent('a1');
    for (let i = 0; i < 5; i++) await agent.report('run-1', bytes(`r${i}`));
    await (await lab.agent('a2')).report('run-2', bytes('of another run'));

    const seen: string[] = [];
    let failed = false;
    await coordinator.reports('run-1', 1, async (report) => {
      const said = text(report.data);
      if (said === 'r4' && !failed) {
        failed = true;
        throw new Error('append failed');
      }
      seen.push(`${report.host} ${said}`);
      report.ack();
    });
    await until(() => seen.length === 5);
    expect(seen).toEqual(['a1 r0', 'a1 r1', 'a1 r2', 'a1 r3', 'a1 r4']);

    await until(async () => (await outstanding(lab, STREAMS.reports, 'run-1=1')) === 0);
    await coordinator.close();
    await agent.report('run-1', bytes('after'));
    const next: string[] = [];
    await (await lab.coordinator()).reports('run-1', 3, async (report) => {
      next.push(text(report.data));
      report.ack();
    });
    await until(() => next.includes('after'));
    expect(next).toEqual(['after']);
  });

  it('that a sleeping leader has pulled come to the next one without a wait', async () => {
    const lab = await startLab();
    const [sleeper, awake] = [await lab.coordinator(), await lab.coordinator()];
    await sleeper.prepare(['a1']);
    const agent = await lab.agent('a1');
    for (let i = 0; i < 3; i++) await agent.report('run-1', bytes(`r${i}`));
    const seen: string[] = [];
    await sleeper.reports('run-1', 1, async ({ data, ack }) => {
      seen.push(text(data));
      if (seen.length === 1) ack();
      else await new Promise(() => {});
    });
    await until(() => seen.length === 2);
    await until(async () => (await outstanding(lab, STREAMS.reports, 'run-1=1')) === 2);
    const next: string[] = [];
    await awake.reports('run-1', 2, async ({ data, ack }) => {
      next.push(text(data));
      ack();
    });
    await until(() => next.length === 2);
    expect(next).toEqual(['r1', 'r2']);
  });

  it('are stored once when an agent sends one again', async () => {
    const lab = await startLab();
    const coordinator = await lab.coordinator();
    await coordinator.prepare(['a1']);
    const agent = await lab.agent('a1');
    for (let i = 0; i < 3; i++) await agent.report('run-1', bytes('same'));
    const { streams } = await coordinator.inspect();
    expect(streams.find(({ name }) => name === STREAMS.reports)?.messages).toBe(1);
  });
});
