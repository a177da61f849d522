import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyPair, open, seal } from '@signalbox/protocol/crypto';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { openHostKey } from './host-key.ts';

let dir: string;
let seedFile: string;
let old: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-key-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  seedFile = join(dir, 'agent.seed');
  const key = createKeyPair();
  old = key.publicKey;
  writeFileSync(seedFile, `${key.seed}\n`, { mode: 0o600 });
});

/** Who is believed that has signed with this key, as somebody sees it who knows one key. */
const believed = (key: ReturnType<typeof openHostKey>, known: string): boolean => {
  try {
    return (
      open(seal('report', {}, key), { kind: 'report', schema: z.looseObject({}), trusts: (k) => k === known })
        .payload !== undefined
    );
  } catch {
    return false;
  }
};

describe('the key of a host', () => {
  it('signs with the one before until that is forgotten, also after a restart', () => {
    const key = openHostKey(seedFile);
    const { publicKey: next } = key.make();
    expect([key.make().publicKey, key.publicKey, believed(key, old), believed(key, next)]).toEqual([
      next,
      old,
      true,
      false,
    ]);
    key.use(next);
    key.use(next);
    for (const each of [key, openHostKey(seedFile)]) {
      expect([each.publicKey, each.former?.publicKey, believed(each, old), believed(each, next)]).toEqual([
        next,
        old,
        true,
        true,
      ]);
    }
    expect(() => key.forget(old)).toThrow('SB-AGENT-KEY');
    key.forget(next);
    for (const each of [key, openHostKey(seedFile)]) {
      expect([each.publicKey, believed(each, old), believed(each, next)]).toEqual([next, false, true]);
    }
    expect(readdirSync(dir)).toEqual(['agent.seed']);
    expect(statSync(seedFile).mode & 0o777).toBe(0o600);
  });

  it('is never one that was not made here', () => {
    const key = openHostKey(seedFile);
    key.make();
    expect(() => key.use(createKeyPair().publicKey)).toThrow('SB-AGENT-KEY');
    expect(key.publicKey).toBe(old);
  });

  it('is the old one after a crash between the copy and the change, and can be changed then', () => {
    const { publicKey: next } = openHostKey(seedFile).make();
    writeFileSync(join(dir, 'agent.former.seed'), readFileSync(seedFile), { mode: 0o600 });
    const key = openHostKey(seedFile);
    expect([key.publicKey, key.former]).toEqual([old, undefined]);
    key.use(next);
    expect([key.publicKey, key.former?.publicKey]).toEqual([next, old]);
  });
});
