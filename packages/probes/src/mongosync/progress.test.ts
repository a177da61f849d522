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
const sample = async () => {
  const probe = probeByName.get('mongosync.progress');
  if (!probe) throw new Error('no probe');
  return await probe.sample(host, probe.schema.parse({ api: server.url }));
};

describe('[T39] mongosync.progress', () => {
  it('reads the lag of newer and of older versions, and what may be done', async () => {
    const common = { state: 'RUNNING', canCommit: true, canWrite: false, info: 'change event application' };
    server.answers.set('/api/v1/progress', { progress: { ...common, lagTimeSeconds: 3 } });
    expect(await sample()).toMatchObject({ state: 'RUNNING', canCommit: true, canWrite: false, lagSeconds: 3 });
    server.answers.set('/api/v1/progress', {
      progress: { ...common, lag: { overallLagSeconds: 2 }, lagTimeSeconds: 9 },
    });
    expect(await sample()).toMatchObject({ lagSeconds: 2 });
  });

  it('[I11] is a missing sample while it does not tell, and no failure of the run', async () => {
    expect(await codeOf(sample())).toBe('SB-PROBE-MONGOSYNC');
    server.answers.set('/api/v1/progress', 'not ready');
    expect(await codeOf(sample())).toBe('SB-PROBE-MONGOSYNC');
  });
});
