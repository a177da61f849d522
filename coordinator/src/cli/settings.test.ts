import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readSettings } from './settings.ts';

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'sb-cli-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function write(dir: string, name = 'signalbox.yaml', { mesh = 'prod', mode = 0o600, extra = '' } = {}): string {
  mkdirSync(dir, { recursive: true });
  const key = createKeyPair();
  writeFileSync(join(dir, 'me.seed'), key.seed, { mode });
  const text = `mesh: ${mesh}\nservers: [nats://127.0.0.1:4222]\nseedFile: me.seed\noperator: ayse\ncoordinators: [${key.publicKey}]\n${extra}`;
  writeFileSync(join(dir, name), text);
  return key.publicKey;
}

describe('settings', () => {
  it('are found in the order that the help says, the seed beside them', () => {
    const dir = folder();
    const env = { HOME: join(dir, 'home') };
    const home = join(dir, 'home', '.config', 'signalbox');
    const key = write(home, 'config.yaml');
    expect(readSettings({ env, cwd: dir }).key).toMatchObject({ publicKey: key });
    write(home, 'test.yaml', { mesh: 'test' });
    expect(readSettings({ env, cwd: dir, mesh: 'test' }).file).toBe(join(home, 'test.yaml'));
    write(dir);
    expect(readSettings({ env, cwd: dir }).file).toBe(join(dir, 'signalbox.yaml'));
    write(join(dir, 'other'));
    const named = { ...env, SIGNALBOX_CONFIG: 'other/signalbox.yaml' };
    expect(readSettings({ env: named, cwd: dir }).file).toBe(join(dir, 'other', 'signalbox.yaml'));
  });

  it('refuse to be used for another mesh than the one that is meant', () => {
    const dir = folder();
    write(dir);
    expect(() => readSettings({ env: { SIGNALBOX_MESH: 'test' }, cwd: dir })).toThrow(/SB-CLI-MESH.*prod, not test/);
  });

  it.each([
    ['SB-CLI-NO-SETTINGS', () => {}],
    ['SB-CFG-KEY', (dir: string) => write(dir, 'signalbox.yaml', { extra: 'opertor: x\n' })],
    ['SB-CFG-SEED-MODE', (dir: string) => write(dir, 'signalbox.yaml', { mode: 0o644 })],
  ])('give one error: %s', (code, prepare) => {
    const dir = folder();
    prepare(dir);
    expect(() => readSettings({ env: { HOME: dir }, cwd: dir })).toThrow(new RegExp(code));
  });
});
