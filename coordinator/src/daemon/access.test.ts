import { SignalboxError, type Verb } from '@signalbox/protocol';
import { createKeyPair, seal } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { Access, mayAsk } from './access.ts';

const clock = new ManualClock();
const keys = { viewer: createKeyPair(), operator: createKeyPair(), approver: createKeyPair(), admin: createKeyPair() };
const roles = { viewer: 'viewer', operator: 'operator', approver: 'approver', admin: 'admin' } as const;
const operators = Object.fromEntries(
  Object.entries(keys).map(([name, { publicKey }]) => [
    name,
    { key: publicKey, role: roles[name as keyof typeof roles] },
  ]),
);
const access = new Access({ mesh: 'test', operators }, clock);
let count = 0;

function request(who: keyof typeof keys, verb: Verb, change: object = {}): Uint8Array {
  count += 1;
  const body = {
    mesh: 'test',
    verb,
    nonce: `n-${count}`,
    operator: who,
    sentAtMs: clock.wallMs(),
    body: {},
    ...change,
  };
  return seal('request', body, keys[who]);
}

function admit(verb: Verb, data: Uint8Array) {
  const admitted = access.identify(verb, data);
  mayAsk(admitted.actor, verb);
  return admitted;
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SignalboxError) return error.code;
    throw error;
  }
  return 'admitted';
}

type Who = keyof typeof keys;
const EVERYBODY: readonly Who[] = ['viewer', 'operator', 'approver', 'admin'];
const PEOPLE: readonly Who[] = ['operator', 'approver', 'admin'];
const OPERATORS: readonly Who[] = ['operator', 'admin'];

/** A verb that is new stands here before it compiles. */
const MAY: Readonly<Record<Verb, readonly Who[]>> = {
  ...{ ping: EVERYBODY, hosts: EVERYBODY, runs: EVERYBODY, log: EVERYBODY, live: EVERYBODY, output: EVERYBODY },
  ...{ doctor: EVERYBODY, sample: EVERYBODY, check: EVERYBODY, record: EVERYBODY, attest: EVERYBODY },
  ...{ audit: EVERYBODY },
  ...{ approve: PEOPLE, reject: PEOPLE, note: PEOPLE, acknowledge: PEOPLE, confirm: PEOPLE },
  ...{ start: OPERATORS, pause: OPERATORS, resume: OPERATORS, retry: OPERATORS, skip: OPERATORS, resolve: OPERATORS },
  ...{ drop: OPERATORS, abort: OPERATORS, adjust: OPERATORS, take: OPERATORS },
  ...{ enroll: ['admin'], revoke: ['admin'], rotate: ['admin'] },
};

it.each(Object.entries(MAY) as [Verb, readonly Who[]][])('%s is for %j and nobody else', (verb, may) => {
  const admitted = EVERYBODY.filter((who) => codeOf(() => admit(verb, request(who, verb))) === 'admitted');
  expect(admitted).toEqual(EVERYBODY.filter((who) => may.includes(who)));
});

describe('access', () => {
  it.each<[keyof typeof keys, Verb, string]>([
    ['viewer', 'log', 'admitted'],
    ['viewer', 'abort', 'SB-COORD-ROLE'],
    ['viewer', 'approve', 'SB-COORD-ROLE'],
    ['approver', 'approve', 'admitted'],
    ['approver', 'start', 'SB-COORD-ROLE'],
    ['operator', 'start', 'admitted'],
    ['operator', 'approve', 'admitted'],
    ['operator', 'enroll', 'SB-COORD-ROLE'],
    ['operator', 'revoke', 'SB-COORD-ROLE'],
    ['admin', 'enroll', 'admitted'],
    ['admin', 'revoke', 'admitted'],
  ])('%s may %s: %s', (who, verb, expected) => {
    expect(codeOf(() => admit(verb, request(who, verb)))).toBe(expected);
  });

  it('knows who asks by the key that signed, not by the name that is claimed', () => {
    const { actor } = admit('log', request('viewer', 'log', { operator: 'admin' }));
    expect(actor).toMatchObject({ name: 'viewer', role: 'viewer', key: keys.viewer.publicKey });
  });

  it('answers a request once, and none that is old', () => {
    const data = request('operator', 'pause');
    admit('pause', data);
    expect(codeOf(() => admit('pause', data))).toBe('SB-COORD-REPLAY');
    const old = request('operator', 'pause', { sentAtMs: clock.wallMs() - 61_000 });
    expect(codeOf(() => admit('pause', old))).toBe('SB-COORD-REPLAY');
  });

  it('refuses a request for another mesh, under another verb, or by a stranger', () => {
    expect(codeOf(() => admit('pause', request('operator', 'pause', { mesh: 'prod' })))).toBe('SB-COORD-MESH');
    expect(codeOf(() => admit('abort', request('operator', 'pause')))).toBe('SB-COORD-VERB');
    const stranger = seal('request', { mesh: 'test' }, createKeyPair());
    expect(codeOf(() => admit('pause', stranger))).toBe('SB-MSG-UNTRUSTED');
  });
});
