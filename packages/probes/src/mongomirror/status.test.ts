import { codeOf, LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName, probeSpecs } from '../catalogue.ts';
import { StandInServer } from '../support/stand-in-server.ts';

const UNIT = 'mongomirror.service';
let host: LocalHost;
let units: StandInUnits;
let server: StandInServer;
beforeEach(async () => {
  host = await LocalHost.create();
  units = await new StandInUnits(host).install();
  server = await new StandInServer().listen();
  const port = server.address.split(':')[1];
  const ExecStart = `{ path=/opt/mongomirror ; argv[]=/opt/mongomirror --host rs/h:1 --httpStatusPort ${port} ; ignore_errors=no }`;
  await units.add(UNIT, { ActiveState: 'active', SubState: 'running', MainPID: 9, ExecStart });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const sample = async () => {
  const probe = probeByName.get('mongomirror.status');
  if (!probe) throw new Error('no probe');
  return await probe.sample(host, probe.schema.parse({}));
};
const at = (current: number, latest: number) => ({
  currentTimestamp: String(BigInt(current) << 32n),
  latestTimestamp: String(BigInt(latest) << 32n),
});

describe('mongomirror.status', () => {
  it('[T30] has the lag as seconds between two 64-bit timestamps', async () => {
    server.answers.set('/', { stage: 'oplog sync', phase: 'applying', details: at(1_000, 1_042) });
    expect(await sample()).toMatchObject({
      stage: 'oplog sync',
      lagSeconds: 42,
      latestSeconds: 1_042,
      unitState: 'active',
    });
  });

  it('[T31] has no lag in the initial sync, where both timestamps are the same and the copy is not', async () => {
    const copy = { 'shop.orders': { complete: false, copiedBytes: 5, totalBytes: 100 } };
    server.answers.set('/', { stage: 'initial sync', details: { ...at(1_000, 1_000), ...copy } });
    const values = await sample();
    expect(values).toMatchObject({ stage: 'initial sync', copiedBytes: 5, totalBytes: 100 });
    expect(values).not.toHaveProperty('lagSeconds');
  });

  it('[T32] says how often its values can change, so that a shorter window is refused', () => {
    expect(probeSpecs.find(({ name }) => name === 'mongomirror.status')?.refreshesMs).toBe(10_000);
  });

  it('[T33] shows the error of a mirror that goes on running and does nothing', async () => {
    server.answers.set('/', { stage: 'oplog sync', details: at(9, 9), errorMessage: 'oplog entry is gone' });
    expect(await sample()).toMatchObject({ unitState: 'active', lagSeconds: 0, errorMessage: 'oplog entry is gone' });
  });

  it('[I11] says only what systemd knows when the mirror does not answer, and nothing of a unit without a port', async () => {
    await server[Symbol.asyncDispose]();
    expect(await sample()).toEqual({ activeState: 'active', unitState: 'active', restarts: 0, mainPid: 9 });
    server = await new StandInServer().listen();
    await units.add(UNIT, { ExecStart: '{ path=/opt/mongomirror ; argv[]=/opt/mongomirror ; ignore_errors=no }' });
    expect(await codeOf(sample())).toBe('SB-PROBE-MIRROR-UNIT');
  });
});
