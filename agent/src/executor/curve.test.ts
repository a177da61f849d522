import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sealSecret } from '@signalbox/protocol/sealed';
import { expect, it, onTestFinished } from 'vitest';
import { seedFileOf } from '../host-key.ts';
import { loadCurveKey, opensWith } from './curve.ts';
import { createSecretValues } from './redact.ts';
import { createSecretReader } from './secrets.ts';

const HOST = { mesh: 'prod', name: 'node-1' };

it('[I9] a sealed secret is opened with the key that this host has made, and with no other', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-curve-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const said: string[] = [];
  const log = (_level: string, message: string) => void said.push(message);
  const seedFile = join(dir, 'agent.seed');
  const key = loadCurveKey(seedFile, log);
  if (key === undefined) throw new Error('no key was made');
  const file = seedFileOf(seedFile, 'curve');
  expect([file, statSync(file).mode & 0o777]).toEqual([join(dir, 'agent.curve.seed'), 0o600]);
  expect(readFileSync(file, 'utf8').trim()).toBe(key.seed);
  expect(loadCurveKey(seedFile, log)).toEqual(key);

  const values = createSecretValues();
  const reader = createSecretReader({}, values, opensWith(key, HOST));
  const to = (host: string, curve = key.publicKey) => ({
    $secret: sealSecret('hunter22', { mesh: 'prod', host, curve }),
  });
  expect(await reader.read(to('node-1'))).toBe('hunter22');
  expect(values.forms).toContain('hunter22');
  await expect(reader.read(to('node-2'))).rejects.toMatchObject({ code: 'SB-SECRET-SEALED' });
  const other = loadCurveKey(join(dir, 'other.seed'), log)?.publicKey;
  await expect(reader.read(to('node-1', other))).rejects.toMatchObject({ code: 'SB-SECRET-SEALED' });

  chmodSync(file, 0o644);
  expect(() => loadCurveKey(seedFile, log)).toThrow('SB-CFG-SEED-MODE');
  expect(loadCurveKey(join(dir, 'nowhere', 'agent.seed'), log)).toBeUndefined();
  expect(said).toEqual(['no curve key: nothing can be sealed to this host']);
});
