import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignalboxError } from '@signalbox/protocol';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadJwt, loadSeed, loadSettings } from './index.ts';

const schema = z.strictObject({ mesh: z.string(), http: z.strictObject({ port: z.int() }).optional() });
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

function failureOf(text: string) {
  const path = join(dir, 'x.yaml');
  writeFileSync(path, text);
  return failureFrom(() => loadSettings(path, schema));
}

function failureFrom(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof SignalboxError) return error.failure;
  }
  throw new Error('it did not fail with a coded error');
}

describe('settings', () => {
  it('loads what fits', () => {
    const path = join(dir, 'good.yaml');
    writeFileSync(path, 'mesh: prod\nhttp:\n  port: 9470\n');
    expect(loadSettings(path, schema)).toEqual({ mesh: 'prod', http: { port: 9470 } });
  });

  it.each([
    ['', 'SB-CFG-EMPTY', 'is empty'],
    ['# nothing\n', 'SB-CFG-EMPTY', 'is empty'],
    ['- a list\n', 'SB-CFG-VALUE', ':1:1: the file'],
    ['mesh: a\nmesh: b\n', 'SB-CFG-YAML', ':2:1'],
    ['mesh: a\n\thttp: {}\n', 'SB-CFG-YAML', ':2:'],
    ['mesh: [', 'SB-CFG-YAML', 'x.yaml:1:'],
    ['mesh: a\nhtp: {}\n', 'SB-CFG-KEY', ':2:1: unknown key htp'],
    ['mesh: a\nhttp:\n  port: many\n', 'SB-CFG-VALUE', ':3:9: http.port'],
    ['http: { port: 1 }\n', 'SB-CFG-VALUE', 'mesh is missing'],
    ['mesh: &a prod\nhttp: *a\n', 'SB-CFG-YAML', ':2:7: *a stands for something else'],
  ])('refuses %j with %s', (text, code, part) => {
    const failure = failureOf(text);
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(part);
  });

  it('suggests the key that was meant', () => {
    expect(failureOf('mesh: a\nhttp: { prot: 1 }\n').next).toBe('Did you mean port?');
  });

  it('says when the file is not there', () => {
    expect(failureFrom(() => loadSettings(join(dir, 'none.yaml'), schema)).code).toBe('SB-CFG-READ');
  });
});

describe('a file of ten megabytes of noise', () => {
  it('is one error', () => {
    const noise = Array.from({ length: 100_000 }, (_, i) => `%${i}: {[${'x'.repeat(80)}\n`).join('');
    expect(failureOf(noise).code).toMatch(/^SB-CFG-/);
  });
});

it('a bomb of aliases is one error, at once', () => {
  const lines = Array.from({ length: 20 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1}, `.repeat(i === 0 ? 0 : 9)}]`);
  expect(failureOf(`${lines.join('\n')}\nmesh: x\n`).code).toBe('SB-CFG-YAML');
});

describe('a JWT', () => {
  it('is read alone or out of a creds file, and without what else is in there', () => {
    const settings = join(dir, 'agent.yaml');
    const jwt = 'eyJ0.eyJq_-dGk.c2ln';
    const creds = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\nSUAX\n------END USER NKEY SEED------\n`;
    for (const text of [jwt, `${jwt}\n`, creds]) {
      writeFileSync(join(dir, 'user.jwt'), text);
      expect(loadJwt(settings, 'user.jwt')).toBe(jwt);
    }
    writeFileSync(join(dir, 'user.jwt'), 'SUAX\n');
    const failure = failureFrom(() => loadJwt(settings, 'user.jwt'));
    expect([failure.code, failure.message]).toEqual(['SB-CFG-VALUE', expect.not.stringContaining('SUAX')]);
    expect(loadJwt(settings, undefined)).toBeUndefined();
  });
});

describe('seed', () => {
  it('is read only from a file that nobody else may read, and is never shown [I9]', () => {
    const pair = createKeyPair();
    const path = join(dir, 'seed');
    writeFileSync(path, `${pair.seed}\n`, { mode: 0o600 });
    expect(loadSeed(path).publicKey).toBe(pair.publicKey);
    chmodSync(path, 0o644);
    const failure = failureFrom(() => loadSeed(path));
    expect(failure.code).toBe('SB-CFG-SEED-MODE');
    expect(JSON.stringify(failure)).not.toContain(pair.seed);
    writeFileSync(join(dir, 'none'), 'SUNOTASEED', { mode: 0o600 });
    const none = failureFrom(() => loadSeed(join(dir, 'none')));
    expect(none.code).toBe('SB-CFG-SEED');
    expect(JSON.stringify(none)).not.toContain('SUNOTASEED');
  });
});
