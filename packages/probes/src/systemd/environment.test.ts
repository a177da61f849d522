import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';

it('[T10] tells what the running process has, not what a shell or a file says, and gives no value away', async () => {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  host.secrets.set('env:DB', 'postgresql://u:hunter2@db/x');
  const units = await new StandInUnits(host).install();
  const child = spawn('sleep', ['60'], {
    env: { DATABASE_URL: 'postgresql://u:hunter2@db/x', R3MES_ENV: 'staging', OLD: '1' },
  });
  await once(child, 'spawn');
  const sample = (input: object) =>
    probeByName
      .get('systemd.environment')
      ?.sample(host, { unit: 'm.service', expect: [], secrets: {}, absent: [], ...input });
  const secrets = { DATABASE_URL: { $secret: 'env:DB' } };
  try {
    await units.add('m.service', { ActiveState: 'active', MainPID: child.pid ?? 0 });
    // The guide's way: exported in a shell, and the service that was restarted has never heard of it.
    await host.exec(['sh', '-c', 'export R3MES_BACKEND_URL=https://staging-api; systemctl restart m.service']);
    const naive = await sample({ expect: [{ name: 'R3MES_BACKEND_URL', value: 'https://staging-api' }] });
    expect(naive).toMatchObject({ asExpected: false, differs: 'R3MES_BACKEND_URL' });
    const values = await sample({ expect: [{ name: 'R3MES_ENV', value: 'staging' }], secrets });
    expect(values).toMatchObject({ asExpected: true, differs: '', names: 'DATABASE_URL,OLD,R3MES_ENV' });
    expect(JSON.stringify(values)).not.toContain('hunter2');
    expect(await sample({ secrets, absent: ['OLD'] })).toMatchObject({ asExpected: false, differs: 'OLD' });
  } finally {
    child.kill();
  }
  await units.add('m.service', { MainPID: 0 });
  expect(await sample({})).toEqual({});
});
