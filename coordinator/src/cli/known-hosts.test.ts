import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostRecord } from '@signalbox/protocol';
import { createKeyPair, type Signer } from '@signalbox/protocol/crypto';
import { createCurveKey, stateKeys } from '@signalbox/protocol/sealed';
import { describe, expect, it, onTestFinished } from 'vitest';
import { curveKeyOf } from './known-hosts.ts';

const [own, next, thief] = [createKeyPair(), createKeyPair(), createKeyPair()];
const curve = createCurveKey().publicKey;

function record(key: string, ...signers: [Signer, ...Signer[]]): HostRecord[] {
  const keys = stateKeys({ mesh: 'prod', host: 'node-1', curve }, ...signers);
  const health = { keys, load: { agentRssBytes: 1 } } as HostRecord['health'];
  return [{ name: 'node-1', key, labels: {}, health }];
}

function operator() {
  const dir = mkdtempSync(join(tmpdir(), 'sb-known-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const file = join(dir, 'prod.known-hosts.json');
  const settings = { mesh: 'prod', file: join(dir, 'signalbox.yaml') };
  return {
    file,
    curveOf: (hosts: HostRecord[], key?: string) => curveKeyOf(hosts, { host: 'node-1', key, settings }),
    known: () => JSON.parse(readFileSync(file, 'utf8')),
  };
}

describe('the curve key of a host', () => {
  it('is taken once its key was named by somebody, and from then on', () => {
    const { curveOf, known, file } = operator();
    expect(() => curveOf(record(own.publicKey, own))).toThrow('SB-CLI-HOST-KEY');
    expect(curveOf(record(own.publicKey, own), own.publicKey)).toBe(curve);
    expect(curveOf(record(own.publicKey, own))).toBe(curve);
    expect([known(), statSync(file).mode & 0o777]).toEqual([{ 'node-1': own.publicKey }, 0o600]);
  });

  it('is not taken from a coordinator that names a key of its own', () => {
    const { curveOf, known } = operator();
    curveOf(record(own.publicKey, own), own.publicKey);
    expect(() => curveOf(record(thief.publicKey, thief))).toThrow('SB-CLI-HOST-KEY');
    expect(known()).toEqual({ 'node-1': own.publicKey });
  });

  it('goes over to the next key of the host when the known one has signed with it', () => {
    const { curveOf, known } = operator();
    curveOf(record(own.publicKey, own), own.publicKey);
    curveOf(record(next.publicKey, next, own));
    expect(known()).toEqual({ 'node-1': next.publicKey });
    expect(curveOf(record(next.publicKey, next))).toBe(curve);
  });

  it('is refused of a host that is unknown, or has none', () => {
    const { curveOf } = operator();
    expect(() => curveOf([], own.publicKey)).toThrow('is not enrolled');
    expect(() => curveOf([{ name: 'node-1', key: own.publicKey, labels: {} }], own.publicKey)).toThrow('curve key');
  });
});
