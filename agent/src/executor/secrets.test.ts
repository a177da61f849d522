import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSecretValues } from './redact.ts';
import { createSecretReader } from './secrets.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-secrets-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const values = createSecretValues();
const reader = createSecretReader({ URI: 'mongodb://u:p@h', EMPTY: '' }, values);

function secretFile(mode: number, text = 'value\n'): string {
  const path = join(dir, 'secret');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return `file:${path}`;
}

describe('[I9] a secret', () => {
  it('comes from the environment of the start, and is known from then on', async () => {
    expect(await reader.read({ $secret: 'env:URI' })).toBe('mongodb://u:p@h');
    expect(values.forms).toContain('mongodb://u:p@h');
  });

  it.each([0o600, 0o400])('comes from a file of mode %i', async (mode) => {
    expect(await reader.read({ $secret: secretFile(mode) })).toBe('value');
  });

  it.each([
    ['SB-SECRET-MODE', () => secretFile(0o640)],
    ['SB-SECRET-MODE', () => secretFile(0o604)],
    ['SB-SECRET-MISSING', () => secretFile(0o600, '')],
    ['SB-SECRET-MISSING', () => `file:${join(dir, 'none')}`],
    ['SB-SECRET-MISSING', () => link(secretFile(0o600))],
    ['SB-SECRET-MISSING', () => 'env:NONE'],
    ['SB-SECRET-MISSING', () => 'env:EMPTY'],
  ])('is refused with %s', async (code, make) => {
    const ref = make();
    await expect(reader.read({ $secret: ref })).rejects.toMatchObject({ code });
  });

  it('comes from AWS when it is kept there; a store that does not answer is said, and asked again', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) vi.stubEnv(name, 'x');
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
    await expect(reader.read({ $secret: 'aws:r3mes/production#database_url' })).rejects.toMatchObject({
      code: 'SB-SECRET-STORE',
      message: expect.stringContaining('aws:r3mes/production#database_url'),
    });
    vi.unstubAllEnvs();
  });

  function link(ref: string): string {
    const path = join(dir, 'link');
    symlinkSync(ref.slice('file:'.length), path);
    return `file:${path}`;
  }
});
