import { codeOf, hasDnsmasq, LocalHost, RealDns, requireReal } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';

const real = requireReal('dnsmasq (Debian: dnsmasq-base)', hasDnsmasq());
const probe = probeByName.get('dns.answer') as Probe;
const [NAME, OLD, NEW] = ['api.example.test', '198.51.100.10', '203.0.113.20'];
const record = (address: string, ttlSeconds: number) => ({ name: NAME, address, ttlSeconds });

let host: LocalHost;
let zone: RealDns;
let cache: RealDns;
beforeAll(async () => {
  if (!real) return;
  host = await LocalHost.create();
  zone = await RealDns.zone([record(OLD, 300)]);
  cache = await RealDns.resolver(zone);
});
afterAll(async () => {
  await cache?.[Symbol.asyncDispose]();
  await zone?.[Symbol.asyncDispose]();
  await host?.[Symbol.asyncDispose]();
});

const sample = (servers: string[], more: object = {}) =>
  probe.sample(host, Object(probe.schema.parse({ name: NAME, servers, ...more })));

describe.runIf(real)('dns.answer', () => {
  it('[T75] knows what a cache still answers when the zone was switched under a long TTL, and for how long', async () => {
    const both = [zone.server, cache.server];
    expect(await sample(both, { expect: [OLD] })).toEqual({ servers: 2, answers: OLD, ttlSeconds: 300, wrong: 0 });
    // The naive way: the zone says the new address, and so does whoever looks there. Users are sent to the old one.
    await zone.publish([record(NEW, 300)]);
    expect(await sample([zone.server], { expect: [NEW] })).toMatchObject({ answers: NEW, wrong: 0 });
    const users = await sample([cache.server], { expect: [NEW] });
    expect(users).toMatchObject({ answers: OLD, wrong: 1 });
    // A lower TTL now comes too late for those who have the old answer.
    await zone.publish([record(NEW, 1)]);
    expect((await sample([cache.server])).ttlSeconds).toBeGreaterThan(250);
    expect(await sample(both, { expect: [NEW] })).toMatchObject({ answers: `${OLD}, ${NEW}`, wrong: 1 });
  });

  it('[I11] takes "there is no such name" for an answer, and silence for none', async () => {
    const gone = { name: 'gone.example.test', type: 'AAAA', expect: ['2001:db8::1'] };
    expect(await sample([zone.server], gone)).toEqual({ servers: 1, wrong: 1 });
    await zone.publish([{ name: NAME, address: '2001:db8::1', ttlSeconds: 60 }]);
    const spelled = { type: 'AAAA', expect: ['2001:0db8:0:0::1'] };
    expect(await sample([zone.server], spelled)).toEqual({
      servers: 1,
      answers: '2001:db8::1',
      ttlSeconds: 60,
      wrong: 0,
    });
    await zone[Symbol.asyncDispose]();
    expect(await codeOf(sample([zone.server], { timeout: '100ms' }))).toBe('SB-PROBE-DNS');
  });

  it.each(['a b', '-x.test', 'x.test.', ''])('is asked for no name like %j', (name) => {
    expect(probe.schema.safeParse({ name }).success).toBe(false);
  });
});
