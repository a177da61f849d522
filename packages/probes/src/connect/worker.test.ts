import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import { StandInServer } from '../support/stand-in-server.ts';

let host: LocalHost;
let server: StandInServer;
beforeEach(async () => {
  host = await LocalHost.create();
  server = await new StandInServer().listen();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const sample = async (more: object = {}) => {
  const probe = probeByName.get('connect.worker');
  if (!probe) throw new Error('no probe');
  return await probe.sample(host, probe.schema.parse({ url: server.url, ...more }));
};

describe('connect.worker', () => {
  it.each(['3.6.0', '3.9.1', '4.1.0', '10.0.0'])('[T60] takes %s, which lets positions be set', async (version) => {
    server.answers.set('/', { version, commit: 'abc' });
    expect(await sample()).toEqual({ version, missing: 0 });
  });

  it.each(['3.5.2', '2.8.0', 'unknown'])('[T60] refuses %s, at which CDC would begin anew', async (version) => {
    server.answers.set('/', { version });
    expect(await sample()).toMatchObject({
      missing: 1,
      lacking: `positions cannot be set at ${version}, but from 3.6 on`,
    });
  });

  it('names connectors that are not there or not as they have to be', async () => {
    server.answers.set('/', { version: '4.1.0' });
    server.answers.set('/connectors/cdc/status', { connector: { state: 'RUNNING' }, tasks: [] });
    const wanted = { connectors: [{ name: 'cdc' }, { name: 'crm' }], state: 'STOPPED' };
    expect(await sample(wanted)).toMatchObject({
      missing: 2,
      lacking: 'cdc is RUNNING, not STOPPED, there is no connector crm',
    });
    expect(await sample({ connectors: [{ name: 'cdc' }] })).toMatchObject({ missing: 0 });
  });

  it('[I11] has no sample where something else answers', async () => {
    server.answers.set('/', 'a proxy');
    expect(await codeOf(sample())).toBe('SB-PROBE-HTTP');
  });
});
