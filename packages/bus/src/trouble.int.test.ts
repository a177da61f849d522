import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { bytes, type Lab, startLab, text, until } from './test-fixture.ts';
import { type Way, wayTo } from './test-way.ts';

/** Before the lab, so that it is closed after it: a connection that has lost its way does not end. */
async function labWithWay(): Promise<{ lab: Lab; way: Way }> {
  let way: Way | undefined;
  onTestFinished(() => way?.close());
  const lab = await startLab();
  way = await wayTo(Number(new URL(lab.mesh.url).port));
  return { lab, way };
}

const Varz = z.object({ slow_consumers: z.int() });

it('a monitor that stops reading is cut off by the server, and nobody waits for it', async () => {
  const { lab, way } = await labWithWay();
  const coordinator = await lab.coordinator();
  await coordinator.prepare(['a1']);
  const stuck = await lab.bare(lab.mesh.keys.monitor, way.url);
  stuck.subscribe('sb.lab.status.>', { callback: () => {} });
  await stuck.flush();
  const operator = await lab.operator();
  const heard: string[] = [];
  await operator.status((_, data) => heard.push(text(data).slice(0, 9)));
  way.stall();

  const slowConsumers = async () => {
    const varz = await fetch(new URL('/varz', lab.mesh.server.healthUrl));
    return Varz.parse(await varz.json()).slow_consumers;
  };
  const event = bytes('x'.repeat(500_000));
  let [last, worstMs] = [0, 0];
  while ((await slowConsumers()) === 0) {
    for (let i = 0; i < 6; i++) coordinator.publishStatus('step', 'run-1', event);
    const startedAt = performance.now();
    const appended = await coordinator.append('run-1', bytes('entry'), last);
    worstMs = Math.max(worstMs, performance.now() - startedAt);
    last = appended === 'conflict' ? expect.fail('nobody else appends') : appended.sequence;
  }
  expect(worstMs).toBeLessThan(2_000);
  // Whoever reads goes on hearing, and nobody else lost a connection.
  coordinator.publishStatus('run', 'run-1', bytes('afterward'));
  await until(() => heard.at(-1) === 'afterward');
  expect([coordinator.stats.reconnects, operator.connected]).toEqual([0, true]);
});

it('output for which the connection is too slow is left out, and a report behind it gets through', async () => {
  const { lab, way } = await labWithWay();
  const coordinator = await lab.coordinator();
  await coordinator.prepare(['a1']);
  const agent = await lab.agent('a1', { servers: [way.url] });
  const say = (seq: number) =>
    agent.output({ run: 'run-1', step: 's', commandId: 'c', seq }, bytes(`${seq} `.padEnd(65_536, '.')));
  const letGo = way.hold();
  for (let seq = 0; seq < 200; seq++) say(seq);
  const reported = agent.report('run-1', bytes('done'));
  letGo();
  await reported;
  await until(async () => {
    say(1_000);
    const { chunks } = await coordinator.readOutput('run-1', 0, 1_000);
    return chunks.some(({ data }) => text(data).startsWith('1000 '));
  });
  // 4 MiB that the server had not confirmed.
  const { chunks } = await coordinator.readOutput('run-1', 0, 1_000);
  expect(chunks.map(({ data }) => Number.parseInt(text(data), 10))).toEqual([...Array(64).keys(), 1_000]);
  expect(agent.stats.reconnects).toBe(0);
});
