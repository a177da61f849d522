import { type Health, HealthReply, type HostState } from '@signalbox/protocol';
import { createKeyPair, open, seal } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { World } from '../testing/world.ts';

async function listening() {
  const world = new World(['a']);
  let beat: (host: string, data: Uint8Array) => Promise<Uint8Array> = async () => new Uint8Array();
  world.bus.onBeat = async (handler?: typeof beat) => {
    if (handler) beat = handler;
    return async () => {};
  };
  await world.hosts.start();
  const states: HostState[] = [];
  world.hosts.onChange((_host, state) => {
    if (states.at(-1) !== state) states.push(state);
  });
  const send = async (change: Partial<Health> = {}, key = world.hostKeys.a) => {
    if (!key) throw new Error('no key');
    const health = {
      ...{
        mesh: 'test',
        host: 'a',
        instance: 'i-1',
        journal: 'j-a',
        machine: 'm-a',
        boot: 'b',
        version: '0',
        labels: {},
      },
      ...{
        actions: [],
        probes: [],
        facts: {},
        load: { agentRssBytes: 1 },
        running: [],
        sentAtMs: world.clock.wallMs(),
      },
      ...change,
    };
    const reply = await beat('a', seal('health', health, key));
    const trusts = (k: string) => k === world.coordinatorKey.publicKey;
    const { payload } = open(reply, { kind: 'reply', schema: HealthReply, trusts });
    return payload.type === 'refused' ? payload.failure.code : payload.type;
  };
  return { world, states, send };
}

describe('hosts', () => {
  it('[I11] are online while they beat, late after two missed beats, silent after five, and back with the next', async () => {
    const { world, states, send } = await listening();
    expect(await send()).toBe('heard');
    await world.clock.advance(5_500);
    await world.clock.advance(6_000);
    await send();
    expect(states).toEqual(['online', 'late', 'silent', 'online']);
    world.hosts.stop();
  });

  it('are refused under another key or another name', async () => {
    const { world, send } = await listening();
    expect(await send({}, createKeyPair())).toBe('SB-MSG-UNTRUSTED');
    expect(await send({ host: 'b' })).toBe('SB-HOST-UNKNOWN');
    expect(world.hosts.stateOf('a')).toBe('never');
    world.hosts.stop();
  });

  it('may start their agent again, but not run two: the later one is told to go', async () => {
    const { world, send } = await listening();
    await send();
    expect(await send({ instance: 'i-2' })).toBe('heard');
    expect(await send({ instance: 'i-2' })).toBe('heard');
    expect(await send({ instance: 'i-1' })).toBe('heard');
    expect(await send({ instance: 'i-2' })).toBe('SB-HOST-DUPLICATE');
    expect(await send({ instance: 'i-1' })).toBe('heard');
    world.hosts.stop();
  });

  it('are given the time of two beats before a coordinator that has just started calls them away', async () => {
    const { world, send } = await listening();
    let settled = false;
    const waiting = world.hosts.settled(['a']).then(() => {
      settled = true;
    });
    await world.clock.advance(2_000);
    expect(settled).toBe(false);
    await send();
    await world.clock.advance(600);
    expect(settled).toBe(true);
    await waiting;
    world.hosts.stop();
  });

  it('are not listed as never heard of by a coordinator that could not have heard them yet', async () => {
    const { world, send } = await listening();
    const asked = world.hosts.roll();
    await send();
    await world.clock.advance(600);
    expect(await asked).toMatchObject([{ name: 'a', health: { host: 'a' } }]);
    world.hosts.stop();
  });

  it('whose clock is off are known to be', async () => {
    const { world, send } = await listening();
    await send({ sentAtMs: world.clock.wallMs() + 45_000 });
    expect(world.hosts.get('a')?.skewMs).toBe(45_000);
    world.hosts.stop();
  });
});
