import { describe, expect, it } from 'vitest';
import { findUnits, type UnitsQuestion } from './units.ts';

const ask = (change: Partial<UnitsQuestion> = {}, missing = 'nothing') =>
  findUnits({
    ...{ uid: 0, around: ['system.slice', 'signalbox-agent.service'] },
    exists: (path) => path !== missing,
    ...change,
  });

describe('units for the processes of steps', () => {
  it('come from systemd for root, and end after the agent when the host goes down', () => {
    const units = { bus: 'unix:path=/run/dbus/system_bus_socket', slice: 'system-signalbox.slice' };
    expect(ask()).toEqual({ ...units, before: 'signalbox-agent.service' });
    expect(ask({ around: ['user.slice', 'session-3.scope'] })).toEqual({ ...units, before: undefined });
  });

  it('come from the instance of a user that the agent belongs to, and from no other', () => {
    const around = ['user.slice', 'user-1000.slice', 'user@1000.service', 'app.slice', 'agent.service'];
    const bus = 'unix:path=/run/user/1000/bus';
    expect(ask({ uid: 1000, around })).toEqual({ bus, slice: 'app-signalbox.slice', before: 'agent.service' });
    expect(ask({ uid: 1000 })).toBe('the agent is neither root nor a service of the user 1000');
  });

  it('are not asked for where something is missing', () => {
    expect(ask({}, '/run/systemd/system')).toBe('systemd does not run here');
    expect(ask({}, '/run/dbus/system_bus_socket')).toBe('there is no /run/dbus/system_bus_socket');
    expect(ask({}, '/usr/bin/perl')).toBe('there is no /usr/bin/perl');
  });
});
