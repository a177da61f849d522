import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { codeOf } from '@signalbox/protocol/testing';
import { loadPersonsSeed, loadSeed } from '@signalbox/settings';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Cli } from './cli.ts';
import { lock, unlock } from './commands/key.ts';
import { keyInHand } from './locked-key.ts';
import { testIo } from './testing/test-io.ts';

const PASSPHRASE = 'a stolen laptop';
const key = createKeyPair();
let path: string;

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'sb-key-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  path = join(dir, 'ayse.seed');
  writeFileSync(path, `${key.seed}\n`, { mode: 0o600 });
});

const typing = (...answers: string[]) => testIo({ answers });
const file = () => readFileSync(path, 'utf8');
const locking = (...answers: string[]) => lock(new Cli(typing(...answers), {}), { file: path });

describe('a key with a passphrase', () => {
  it('is in no file as it is, and in hand for who says the passphrase', async () => {
    await locking(PASSPHRASE, PASSPHRASE);
    expect(file()).not.toContain(key.seed);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await keyInHand(loadPersonsSeed(path), typing(PASSPHRASE))).seed).toBe(key.seed);
    expect(await codeOf(keyInHand(loadPersonsSeed(path), typing('a stolen laptoq')))).toBe('SB-CLI-PASSPHRASE');
    expect(await codeOf(keyInHand(loadPersonsSeed(path), testIo()))).toBe('SB-CLI-PASSPHRASE');
  });

  it('is no key for a program that can ask nobody', async () => {
    await locking(PASSPHRASE, PASSPHRASE);
    expect(await codeOf((async () => loadSeed(path))())).toBe('SB-CFG-SEED-LOCKED');
  });

  it('gets another one, or none again', async () => {
    await locking(PASSPHRASE, PASSPHRASE);
    await locking(PASSPHRASE, 'another one', 'another one');
    expect(await codeOf(keyInHand(loadPersonsSeed(path), typing(PASSPHRASE)))).toBe('SB-CLI-PASSPHRASE');
    await unlock(new Cli(typing('another one'), {}), { file: path });
    expect(file()).toBe(`${key.seed}\n`);
  });

  it.each([
    ['too short', ['short', 'short']],
    ['said in two ways', [PASSPHRASE, 'something else']],
    ['said by nobody', []],
  ])('stays as it is when the new passphrase is %s', async (_, answers) => {
    expect(await codeOf(locking(...answers))).toBe('SB-CLI-PASSPHRASE');
    expect(file()).toBe(`${key.seed}\n`);
  });

  it('is said in a file where nobody can be asked', async () => {
    const secret = `${path}.passphrase`;
    writeFileSync(secret, `${PASSPHRASE}\n`, { mode: 0o600 });
    const io = testIo({ env: { SIGNALBOX_PASSPHRASE_FILE: secret } });
    await lock(new Cli(io, {}), { file: path });
    expect((await keyInHand(loadPersonsSeed(path), io)).publicKey).toBe(key.publicKey);
    expect(io.stdout + io.stderr).not.toContain(PASSPHRASE);
  });
});
