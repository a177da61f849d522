import { LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';

it('[I9] collects what is looked at first, with the names of variables and no value, and no password of a journal', async () => {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  const units = await new StandInUnits(host).install();
  await units.add('r3mes-backend.service', {
    ActiveState: 'active',
    SubState: 'running',
    MainPID: process.pid,
    NRestarts: 3,
  });
  await host.program('docker', `printf 'backend\\tr3mes-backend:latest\\tUp 2 hours\\n'`);
  await host.program(
    'journalctl',
    `echo 'connect postgresql://u:hunter2@db/x failed'; echo 'JWT_SECRET=hunter2 api_key: "hunter2"'; echo ready`,
  );
  const values = await probeByName
    .get('host.diagnosis')
    ?.sample(host, { units: ['r3mes-backend.service', 'none.service'], lines: 5 });
  expect(values).toMatchObject({
    units: {
      'r3mes-backend.service': { activeState: 'active', restarts: 3, variables: expect.stringContaining('PATH') },
    },
    journal: {
      'r3mes-backend.service': ['connect postgresql://***@db/x failed', 'JWT_SECRET=*** api_key: ***', 'ready'],
    },
    containers: { backend: { image: 'r3mes-backend:latest', status: 'Up 2 hours' } },
    disks: { '/': { freeBytes: expect.any(Number) } },
  });
  expect(JSON.stringify(values)).not.toMatch(/hunter2|none\.service/);
});

it('does without journald and without Docker', async () => {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  await (await new StandInUnits(host).install()).add('a.service', {});
  for (const name of ['journalctl', 'docker']) await host.program(name, 'exit 1');
  const values = await probeByName.get('host.diagnosis')?.sample(host, { units: ['a.service'], lines: 5 });
  expect(Object.keys(values ?? {})).toEqual(['units', 'disks']);
});
