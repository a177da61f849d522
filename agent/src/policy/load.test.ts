import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadPolicy } from './load.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-policy-'));
  file = join(dir, 'policy.yaml');
  writeFileSync(file, 'allow:\n  actions: [systemd.*]\n', { mode: 0o644 });
});
afterEach(() => rmSync(dir, { recursive: true }));

const owner = process.getuid?.() ?? 0;
const load = (path: string, by = owner) => loadPolicy({ path, owner: by, own: [], actionByName: () => undefined });
const refused = (path: string, by = owner) => codeOf(Promise.resolve().then(() => load(path, by)));

describe('the policy of a host', () => {
  it('is read, and named by its checksum', () => {
    const policy = load(file);
    expect(policy.offers('action', 'systemd.stop')).toBe(true);
    expect(policy.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(loadPolicy({ path: undefined, own: [], actionByName: () => undefined }).sha256).toBeUndefined();
  });

  it('is refused when others may write it, or a folder above it', async () => {
    chmodSync(file, 0o664);
    expect(await refused(file)).toBe('SB-POLICY-FILE');
    chmodSync(file, 0o644);
    chmodSync(dir, 0o777);
    expect(await refused(file)).toBe('SB-POLICY-FILE');
  });

  it('is refused through a symbolic link: its folder says nothing about who wrote it', async () => {
    mkdirSync(join(dir, 'etc'));
    symlinkSync(file, join(dir, 'etc/policy.yaml'));
    expect(await refused(join(dir, 'etc/policy.yaml'))).toBe('SB-POLICY-FILE');
  });

  it('may belong to root, or to the user that the agent runs as', () => {
    expect(loadPolicy({ path: file, own: [], actionByName: () => undefined }).sha256).toBeDefined();
  });

  it.skipIf(owner === 0)('is refused by an agent of root when it belongs to somebody else', async () => {
    expect(await refused(file, 0)).toBe('SB-POLICY-FILE');
  });

  it.runIf(owner === 0)(
    'is refused when it belongs to somebody else than the user that the agent runs as',
    async () => {
      chownSync(file, 65_534, 65_534);
      expect(await refused(file)).toBe('SB-POLICY-FILE');
    },
  );

  it('is refused with a line when it says what nobody knows', async () => {
    writeFileSync(file, 'allow:\n  action: [systemd.*]\n');
    expect(await refused(file)).toBe('SB-CFG-KEY');
    expect(await refused(join(dir, 'none.yaml'))).toBe('SB-CFG-READ');
  });
});
