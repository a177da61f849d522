import { codeOf, LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';

const probe = probeByName.get('remesd.signerHeight') as Probe;
const FILE = 'home/data/priv_validator_state.json';

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
  const argv = `/opt/remesd start --home=${host.file('home')}`;
  const units = await new StandInUnits(host).install();
  await units.add('remesd.service', { ExecStart: `{ path=/opt/remesd ; argv[]=${argv} ; ignore_errors=no }` });
});
afterEach(() => host[Symbol.asyncDispose]());

const sample = (input: object = {}) => probe.sample(host, { unit: 'remesd.service', ...input });

describe('remesd.signerHeight', () => {
  it('[T05] [T06] reads what was signed last, while the node is down', async () => {
    await host.write(FILE, '{"height":"1204","round":1,"step":3,"signature":"x"}');
    expect(await sample()).toEqual({ height: 1204, round: 1, step: 3 });
    expect(await sample({ home: host.file('home') })).toEqual({ height: 1204, round: 1, step: 3 });
  });

  it('[T05] rounds no height', async () => {
    await host.write(FILE, '{"height":"9223372036854775807","round":0,"step":1}');
    expect((await sample()).height).toBe('9223372036854775807');
  });

  it('has no values where there is no signing state', async () => {
    expect(await sample()).toEqual({});
  });

  it('[I11] is no sample when the state cannot be read or the home is not known', async () => {
    await host.write(FILE, '{"hei');
    expect(await codeOf(sample())).toBe('SB-PROBE-SIGNER-STATE');
    expect(await codeOf(sample({ unit: 'other.service' }))).toBe('SB-PROBE-HOME-UNKNOWN');
  });
});
