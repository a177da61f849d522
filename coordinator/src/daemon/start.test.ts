import { SignalboxError } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { action, World } from '../testing/world.ts';
import { HostQueries } from './queries.ts';
import { findDrift, refuseAbsentHosts, refuseClosedWindow } from './start.ts';

describe('starting a plan', () => {
  it('names every host that is not there, at once', () => {
    const world = new World(['a', 'b']);
    try {
      refuseAbsentHosts(world.plan([action('one', ['a'])]), world.hosts);
    } catch (error) {
      if (!(error instanceof SignalboxError)) throw error;
      expect(error.code).toBe('SB-COORD-HOST');
      expect(error.failure.message).toBe('a is never; b is never');
      return;
    }
    throw new Error('it was not refused');
  });

  it('refuses a plan whose window is over, and no other', () => {
    const plan = {
      ...new World(['a']).plan([action('one', ['a'])]),
      window: { notBeforeMs: 5_000, notAfterMs: 9_000 },
    };
    expect(() => refuseClosedWindow(plan, 8_999)).not.toThrow();
    expect(() => refuseClosedWindow(plan, 1_000)).not.toThrow();
    expect(() => refuseClosedWindow(plan, 9_000)).toThrow('SB-WINDOW-CLOSED');
  });

  it('finds what has drifted since the plan, and that a host cannot be asked', async () => {
    const world = new World(['a', 'b']);
    const queries = new HostQueries(world.ports, world.hosts);
    world.answer((query) => (query.host === 'a' ? { activeState: 'inactive', replicas: 5 } : undefined));
    const plan = {
      ...world.plan([action('one', ['a', 'b'])]),
      observed: [
        { step: 'one', host: 'a', seen: { activeState: 'active', replicas: 5 } },
        { step: 'one', host: 'b', seen: {} },
      ],
    };
    const drift = await findDrift(plan, queries);
    expect(drift[0]).toBe('one on a: activeState "active" -> "inactive"');
    // Longer than any other question: a check starts programs, and all checks of a host are asked at once.
    expect(drift[1]).toContain('b did not answer within 30 s');
    expect(drift).toHaveLength(2);
  });

  it('finds no drift where nothing has changed', async () => {
    const world = new World(['a']);
    const queries = new HostQueries(world.ports, world.hosts);
    world.answer(() => ({ replicas: 3, own: 'backup-of-execution-2' }));
    const plan = {
      ...world.plan([action('one', ['a'])]),
      observed: [{ step: 'one', host: 'a', seen: { replicas: 3 } }],
    };
    expect(await findDrift(plan, queries)).toEqual([]);
  });
});
