import { expect, it } from 'vitest';
import { meshUsers } from './local-mesh.ts';
import { bytes, codeOf, type Lab, startLab, text, until } from './test-fixture.ts';

const HOUR_MS = 3_600_000;

async function killServer(lab: Lab): Promise<void> {
  process.kill(lab.mesh.server.pid, 'SIGKILL');
  await lab.mesh.server.ended;
}

it('[I8] carries on over a server that is killed: nothing lost, every subscription back by itself', async () => {
  const lab = await startLab();
  const coordinator = await lab.coordinator();
  await coordinator.prepare(['a1', 'a2']);
  const agent = await lab.agent('a1');
  const operator = await lab.operator();
  const heard = { commands: [] as string[], controls: [] as string[], reports: [] as string[], status: [] as string[] };
  await agent.commands(async ({ id, ack }) => {
    heard.commands.push(id);
    ack();
  });
  await agent.controls(async ({ id, ack }) => {
    heard.controls.push(id);
    ack();
  });
  await agent.answer('sample', async () => bytes('answer'));
  await coordinator.reports('run-1', 1, async ({ data, ack }) => {
    heard.reports.push(text(data));
    ack();
  });
  await coordinator.onBeat(async () => bytes('heard'));
  await coordinator.serve(['runs'], async () => bytes('served'));
  await operator.status((subject) => heard.status.push(subject));
  await coordinator.sendCommand('a1', 'before', bytes('do'), HOUR_MS);
  await agent.report('run-1', bytes('before'));
  await until(() => heard.commands.length === 1 && heard.reports.length === 1);

  await killServer(lab);
  await until(() => !coordinator.connected && !agent.connected && !operator.connected);
  const states: boolean[] = [];
  agent.onConnection((connected) => states.push(connected));
  // Asked for while there is nobody: they wait at the gate and go out once, later.
  const waiting = Promise.all([
    coordinator.sendCommand('a1', 'meanwhile', bytes('do'), HOUR_MS),
    coordinator.sendControl('a1', 'meanwhile', bytes('void')),
    coordinator.append('run-1', bytes('entry'), 0),
    agent.report('run-1', bytes('meanwhile')),
  ]);
  expect(await agent.beat(bytes('beat'))).toBeUndefined();
  coordinator.publishStatus('run', 'lost', bytes('{}'));
  await lab.mesh.restart();
  await waiting;

  await until(() => heard.commands.includes('meanwhile') && heard.controls.includes('meanwhile'));
  await until(() => heard.reports.includes('meanwhile'));
  expect(heard).toMatchObject({
    commands: ['before', 'meanwhile'],
    controls: ['meanwhile'],
  });
  // A report is at least once: an acknowledgement that died with the server brings it again. None is lost or overtaken.
  expect([...new Set(heard.reports)]).toEqual(['before', 'meanwhile']);
  expect((await coordinator.readRun('run-1')).map(({ data }) => text(data))).toEqual(['entry']);
  expect(states).toEqual([false, true]);
  expect(agent.stats.reconnects).toBe(1);

  expect(text(await agent.beat(bytes('beat')))).toBe('heard');
  expect(text(await coordinator.query('a1', 'sample', bytes(''), 2_000))).toBe('answer');
  await until(() => operator.connected);
  expect(text(await operator.request('runs', bytes(''), 2_000))).toBe('served');
  coordinator.publishStatus('run', 'after', bytes('{}'));
  await until(() => heard.status.length > 0);
  expect(heard.status).toEqual(['sb.lab.status.run.after']);
});

it('fails with SB-BUS-OFFLINE when the connection does not come back', async () => {
  const lab = await startLab();
  const coordinator = await lab.coordinator();
  const agent = await lab.agent('a1');
  await coordinator.prepare(['a1']);
  await killServer(lab);
  await until(() => !coordinator.connected && !agent.connected);
  const calls = [
    codeOf(() => coordinator.sendCommand('a1', 'c:1', bytes('do'), HOUR_MS)),
    codeOf(() => coordinator.query('a1', 'sample', bytes(''), 1_000)),
    codeOf(() => agent.report('run-1', bytes('done'))),
  ];
  expect(await Promise.all(calls)).toEqual(['SB-BUS-OFFLINE', 'SB-BUS-OFFLINE', 'SB-BUS-OFFLINE']);
});

it('cuts a host off whose key is taken away, and catches it up as soon as it is back', async () => {
  const lab = await startLab();
  const coordinator = await lab.coordinator();
  await coordinator.prepare(['a1']);
  // No sweep by the clock: only the reconnect can bring what was missed.
  const agent = await lab.agent('a1', { timing: { sweepEveryMs: HOUR_MS } });
  const heard: string[] = [];
  await agent.commands(async ({ id, ack }) => {
    heard.push(id);
    ack();
  });
  const { keys, server } = lab.mesh;
  await server.reload(meshUsers({ ...keys, agents: {} }));
  await until(() => !agent.connected);
  for (let i = 0; i < 3; i++) await coordinator.sendCommand('a1', `c:${i}`, bytes('do'), HOUR_MS);
  await server.reload(meshUsers(keys));
  await until(() => heard.length === 3);
  expect(heard).toEqual(['c:0', 'c:1', 'c:2']);
  expect(coordinator.stats.reconnects).toBe(0);
});
