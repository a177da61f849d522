import { createCurve } from 'nkeys.js';
import { describe, expect, it } from 'vitest';
import { createKeyPair } from '../crypto/index.ts';
import { SecretRef } from '../secret.ts';
import { createCurveKey, curveKeyFromSeed, openSecret, readKeys, sealSecret, stateKeys } from './index.ts';

const own = createCurveKey();
const here = { mesh: 'prod', host: 'node-1' };
const sealed = sealSecret('p@ss: wörd', { ...here, curve: own.publicKey });

/** The same reference with one character of one part changed. */
function changed(part: number): string {
  const parts = sealed.split(':');
  const text = parts[part] ?? '';
  const at = Math.floor(text.length / 2);
  parts[part] = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
  return parts.join(':');
}

describe('a sealed secret', () => {
  it('is a reference, and is opened by its host alone', () => {
    expect(SecretRef.parse({ $secret: sealed })).toEqual({ $secret: sealed });
    expect(sealed).not.toContain(Buffer.from('p@ss').toString('base64url').slice(0, 4));
    expect(openSecret(sealed, { ...here, seed: own.seed })).toBe('p@ss: wörd');
    expect(openSecret(sealed, { ...here, seed: createCurveKey().seed })).toBeUndefined();
  });

  it('is for its host and mesh, also where somebody else has the same curve key', () => {
    expect(openSecret(sealed, { ...here, host: 'node-2', seed: own.seed })).toBeUndefined();
    expect(openSecret(sealed.replace('node-1', 'node-2'), { ...here, host: 'node-2', seed: own.seed })).toBeUndefined();
    expect(openSecret(sealed, { ...here, mesh: 'test', seed: own.seed })).toBeUndefined();
  });

  it.each([
    ['the sender', changed(2)],
    ['the box', changed(3)],
    ['the host', changed(1)],
    ['its end', sealed.slice(0, -4)],
    ['everything', 'sealed:node-1:X:AAAA'],
    ['more behind it', `${sealed}=`],
  ])('does not open with %s changed', (_, ref) => {
    expect(openSecret(ref, { ...here, seed: own.seed })).toBeUndefined();
  });

  it('does not open with any one byte of the box changed', () => {
    const [head, box = ''] = [sealed.slice(0, sealed.lastIndexOf(':') + 1), sealed.split(':')[3]];
    const bytes = Buffer.from(box, 'base64url');
    for (const at of [0, 3, 4, 27, 28, bytes.length - 1]) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(openSecret(head + other.toString('base64url'), { ...here, seed: own.seed }), `byte ${at}`).toBeUndefined();
    }
  });

  it.each(['hunter2', '{"mesh":"prod","host":"node-1"}', '"', 'null', '\0'])(
    'with %j in its box opens nothing',
    (content) => {
      const sender = createCurve();
      const box = Buffer.from(sender.seal(Buffer.from(content), own.publicKey)).toString('base64url');
      expect(openSecret(`sealed:node-1:${sender.getPublicKey()}:${box}`, { ...here, seed: own.seed })).toBeUndefined();
    },
  );
});

describe('a curve key', () => {
  it('comes back from its seed', () => {
    expect(own).toMatchObject({ publicKey: expect.stringMatching(/^X/), seed: expect.stringMatching(/^SX/) });
    expect(curveKeyFromSeed(`${own.seed}\n`)).toEqual(own);
    expect(() => curveKeyFromSeed(createKeyPair().seed)).toThrow('not the seed of a curve key');
  });

  it('is believed by who knows the key of its host, and nobody can put another in its place', () => {
    const host = createKeyPair();
    const statement = stateKeys({ ...here, curve: own.publicKey }, host);
    const trusted = host.publicKey;
    expect(readKeys(statement, { ...here, trusted })).toEqual({ curve: own.publicKey, signedBy: [trusted] });
    const forged = stateKeys({ ...here, curve: createCurveKey().publicKey }, createKeyPair());
    expect(() => readKeys(forged, { ...here, trusted })).toThrow('SB-MSG-UNTRUSTED');
    expect(() => readKeys(statement, { ...here, host: 'node-2', trusted })).toThrow('SB-MSG-SHAPE');
    const swapped = statement.replace(own.publicKey, createCurveKey().publicKey);
    expect(() => readKeys(swapped, { ...here, trusted })).toThrow('SB-MSG-SIGNATURE');
  });
});
