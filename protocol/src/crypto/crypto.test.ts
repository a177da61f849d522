import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createKeyPair, isPublicKey, keyPairFromSeed } from './keys.ts';
import { open, seal } from './seal.ts';

const schema = z.looseObject({ hello: z.string() });
const alice = createKeyPair();
const expectFrom = (key: string) => ({ kind: 'report' as const, schema, trusts: (k: string) => k === key });

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'nothing was thrown';
}

/** Changes the envelope of a sealed message. */
function tamper(data: Uint8Array, change: (envelope: Record<string, unknown>) => void): Uint8Array {
  const envelope = JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>;
  change(envelope);
  return Buffer.from(JSON.stringify(envelope));
}

describe('keys', () => {
  it('come back from their seed, in nkey encoding', () => {
    expect(alice.publicKey).toMatch(/^U[A-Z2-7]{55}$/);
    expect(alice.seed).toMatch(/^SU[A-Z2-7]{56}$/);
    expect(keyPairFromSeed(alice.seed).publicKey).toBe(alice.publicKey);
    expect(isPublicKey(alice.publicKey)).toBe(true);
    expect(isPublicKey(alice.publicKey.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A')))).toBe(false);
  });

  it('fit a seed that another implementation made', () => {
    // From the nkeys documentation: a user seed and its public key.
    const pair = keyPairFromSeed('SUAKYRHVIOREXV7EUZTBHUHL7NUMHPMAS7QMDU3GTIUWEI5LDNOXD43IZY');
    expect(pair.publicKey).toBe('UD466L6EBCM3YY5HEGHJANNTN4LSKTSUXTH7RILHCKEQMQHTBNLHJJXT');
  });
});

describe('seal and open', () => {
  it('gives back what was sealed, unknown fields included', () => {
    const opened = open(seal('report', { hello: 'you', later: 1 }, alice), expectFrom(alice.publicKey));
    expect(opened.payload).toEqual({ hello: 'you', later: 1 });
    expect(opened.keys).toEqual([alice.publicKey]);
  });

  it.each([
    ['SB-MSG-JSON', () => Buffer.from('no json')],
    ['SB-MSG-JSON', () => Buffer.from('{"v":1}')],
    ['SB-MSG-SIZE', () => Buffer.alloc(2_097_152, 32)],
    ['SB-MSG-VERSION', () => tamper(seal('report', { hello: 'x' }, alice), (e) => Object.assign(e, { v: 2 }))],
    [
      'SB-MSG-UNSIGNED',
      () => tamper(seal('report', { hello: 'x' }, alice), (e) => Object.assign(e, { signatures: [] })),
    ],
    [
      'SB-MSG-SIGNATURE',
      () => tamper(seal('report', { hello: 'x' }, alice), (e) => Object.assign(e, { payload: '{"hello":"y"}' })),
    ],
    ['SB-MSG-UNTRUSTED', () => seal('report', { hello: 'x' }, createKeyPair())],
    ['SB-MSG-CRITICAL', () => seal('report', { hello: 'x', critical: ['quorum'] }, alice)],
    ['SB-MSG-SHAPE', () => seal('report', { hello: 5 }, alice)],
    ['SB-MSG-SHAPE', () => seal('command', { hello: 'x' }, alice)],
  ])('refuses with %s', (code, make) => {
    expect(codeOf(() => open(make(), expectFrom(alice.publicKey)))).toBe(code);
  });

  it('does not let a report pass as a command by a changed kind', () => {
    const changed = tamper(seal('report', { hello: 'x' }, alice), (e) => Object.assign(e, { kind: 'command' }));
    expect(codeOf(() => open(changed, { ...expectFrom(alice.publicKey), kind: 'command' }))).toBe('SB-MSG-SIGNATURE');
  });
});
