import { describe, expect, it } from 'vitest';
import { hostToken, idToken, runToken } from './names.ts';
import { isSupported } from './version.ts';

describe('tokens of subjects', () => {
  it('lets names and encoded ids through', () => {
    expect(hostToken('node-1')).toBe('node-1');
    expect(runToken('r3mes-node-upgrade-3')).toBe('r3mes-node-upgrade-3');
    expect(idToken('run-1:group/step[item%2E1]:node-1:do:1')).toBe('run-1:group/step[item%2E1]:node-1:do:1');
  });

  it.each(['*', '>', 'a.b', 'a b', '', 'a\r\nPUB x'])('refuses %j, which means something to NATS', (token) => {
    for (const check of [hostToken, runToken, idToken]) expect(() => check(token)).toThrow('SB-BUS-SUBJECT');
  });
});

it.each([
  ['nats-server: v2.14.0', true],
  ['2.10.0-beta.1', true],
  ['3.0.0', true],
  ['nats-server: v2.9.10', false],
  ['unknown', false],
])('judges the server version %s', (version, supported) => {
  expect(isSupported(version)).toBe(supported);
});
