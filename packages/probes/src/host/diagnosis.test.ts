import { LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';

const NOTHING = { folders: [], lines: 5 };
const look = (host: LocalHost, input: object) =>
  probeByName.get('host.diagnosis')?.sample(host, { ...NOTHING, ...input });

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
  const values = await look(host, { units: ['r3mes-backend.service', 'none.service'] });
  expect(values).toMatchObject({
    units: {
      'r3mes-backend.service': { activeState: 'active', restarts: 3, variables: expect.stringContaining('PATH') },
    },
    journal: {
      'r3mes-backend.service': ['connect postgresql://***@db/x failed', 'JWT_SECRET=*** api_key: ***', 'ready'],
    },
    containers: { backend: { image: 'r3mes-backend:latest', status: 'Up 2 hours' } },
    disks: { '/': { freeBytes: expect.any(Number) } },
    versions: { kernel: expect.stringMatching(/^\d/), node: expect.stringMatching(/^v\d/) },
  });
  expect(JSON.stringify(values)).not.toMatch(/hunter2|none\.service/);
});

it('[I9] names what a service that does not come up would be started with', async () => {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  const file = await host.write('backend.env', '# of the backend\nexport JWT_SECRET="hunter2"\n\nPORT=8000\n');
  await (await new StandInUnits(host).install()).add('a.service', {
    Environment: 'HOME=/srv DATABASE_URL=hunter2',
    EnvironmentFiles: `${file} (ignore_errors=no)`,
  });
  const values = await look(host, { units: ['a.service'] });
  expect(values?.units).toMatchObject({ 'a.service': { variables: 'DATABASE_URL,HOME,JWT_SECRET,PORT' } });
  expect(JSON.stringify(values)).not.toContain('hunter2');
});

it('says of each part that it could not have why, and has the rest', async () => {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  for (const name of ['systemctl', 'journalctl', 'docker']) await host.program(name, 'exit 1');
  const values = await look(host, { units: ['a.service'] });
  expect(values).toMatchObject({
    units: {},
    disks: { '/': {} },
    missing: {
      units: expect.stringContaining('systemctl show a.service'),
      journal: 'no journal to read',
      alembic: 'no folder with alembic.ini',
      compose: 'no compose file',
      containers: 'no Docker engine answers, or it has none',
      packages: 'no unit here runs from a virtual environment',
    },
  });
});
