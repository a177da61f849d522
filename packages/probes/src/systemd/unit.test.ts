import { codeOf, LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';

const probe = probeByName.get('systemd.unit') as Probe;
const UNIT = 'remesd.service';

let host: LocalHost;
let units: StandInUnits;
beforeEach(async () => {
  host = await LocalHost.create();
  units = await new StandInUnits(host).install();
});
afterEach(() => host[Symbol.asyncDispose]());

const sample = () => probe.sample(host, { unit: UNIT });

describe('systemd.unit', () => {
  it('says what systemd says, of the program only its path', async () => {
    const ExecStart = '{ path=/opt/remesd ; argv[]=/opt/remesd start --key secret ; ignore_errors=no }';
    await units.add(UNIT, { ActiveState: 'active', SubState: 'running', MainPID: 8, NRestarts: 2, ExecStart });
    expect(await sample()).toEqual({
      activeState: 'active',
      subState: 'running',
      loadState: 'loaded',
      unitFileState: 'enabled',
      mainPid: 8,
      restarts: 2,
      processes: 1,
      execStart: '/opt/remesd',
    });
  });

  it('[T06] counts processes that a stopped unit left behind', async () => {
    await units.add(UNIT, { TasksCurrent: 3 });
    expect(await sample()).toMatchObject({ activeState: 'inactive', processes: 3 });
  });

  it('counts none in a unit that is down, whatever systemd calls "not set"', async () => {
    await units.add(UNIT, { TasksCurrent: '[not set]', ControlGroup: '' });
    expect(await sample()).toMatchObject({ processes: 0 });
    await units.add(UNIT, { TasksCurrent: '18446744073709551615' });
    expect(await sample()).toMatchObject({ processes: 0 });
  });

  it('takes a unit that is not there for what it is', async () => {
    expect(await sample()).toMatchObject({ loadState: 'not-found', activeState: 'inactive', processes: 0 });
  });

  it('[I11] is no sample when systemd cannot be asked', async () => {
    await host.program('systemctl', 'echo "Failed to connect to bus" >&2; exit 1');
    expect(await codeOf(sample())).toBe('SB-PROBE-SYSTEMCTL');
  });
});
