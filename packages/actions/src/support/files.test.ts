import { execFileSync } from 'node:child_process';
import { copyFile, lstat, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyDurably, own, sha256File, syncPath } from './files.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sb-files-'));
  await writeFile(join(dir, 'shadow'), 'of root', { mode: 0o600 });
  await writeFile(join(dir, 'file'), 'mine', { mode: 0o640 });
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const me = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const at = (name: string) => join(dir, name);

describe('a file that somebody has put a link in the place of, after it was looked at', () => {
  beforeEach(() => symlink(at('shadow'), at('link')));

  it('is not copied, nor read', async () => {
    expect(await codeOf(copyDurably(at('link'), at('copy'), { ...me, mode: 0o644 }))).toBe('SB-ACT-SYMLINK');
    await expect(lstat(at('copy'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await codeOf(sha256File(at('link')))).toBe('SB-ACT-SYMLINK');
    expect(await codeOf(syncPath(at('link'), 0o666))).toBe('SB-ACT-SYMLINK');
    expect((await stat(at('shadow'))).mode & 0o777).toBe(0o600);
  });

  it('is not written to', async () => {
    await expect(copyDurably(at('file'), at('link'), { ...me, mode: 0o644 })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(at('shadow'), 'utf8')).toBe('of root');
  });

  it.runIf(me.uid === 0)('is not given away', async () => {
    await own(at('link'), { uid: 65_534, gid: 65_534 });
    expect((await stat(at('shadow'))).uid).toBe(0);
  });

  it.runIf(me.uid === 0)(
    'is not given away while it is being copied either, however often somebody tries',
    async () => {
      await writeFile(at('big'), Buffer.alloc(200_000));
      for (let i = 0; i < 20; i++) {
        const copying = copyDurably(at('big'), at('copy'), { uid: 65_534, gid: 65_534, mode: 0o666 });
        await symlink(at('shadow'), at(`trap-${i}`));
        await rename(at(`trap-${i}`), at('copy'));
        await copying.catch(() => {});
        await rm(at('copy'), { force: true });
        const { uid, mode } = await stat(at('shadow'));
        expect([uid, mode & 0o777, await readFile(at('shadow'), 'utf8')]).toEqual([0, 0o600, 'of root']);
      }
    },
  );
});

it('a copy has the content, the owner and the mode, and takes no pipe for a file', async () => {
  await copyDurably(at('file'), at('copy'), { ...me, mode: 0o100_640 });
  expect(await readFile(at('copy'), 'utf8')).toBe('mine');
  const { uid, mode } = await stat(at('copy'));
  expect([uid, mode & 0o7777]).toEqual([me.uid, 0o640]);
  await copyFile(at('file'), at('there'));
  await expect(copyDurably(at('file'), at('there'), { ...me, mode: 0o600 })).rejects.toMatchObject({ code: 'EEXIST' });
  execFileSync('mkfifo', [at('pipe')]);
  expect(await codeOf(copyDurably(at('pipe'), at('of-pipe'), { ...me, mode: 0o600 }))).toBe('SB-ACT-FILE');
});
