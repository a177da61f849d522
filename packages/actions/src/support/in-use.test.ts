import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { codeOf, LocalHost, until } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockHolder, openedBy, requireIdle } from './in-use.ts';

let host: LocalHost;
let data: string;
let lock: string;
beforeEach(async () => {
  host = await LocalHost.create();
  lock = await host.write('data/application.db/LOCK', '');
  data = host.file('data');
});
afterEach(() => host[Symbol.asyncDispose]());

describe('a data folder in use', () => {
  it('[T01] [T04] names the process that has a lock, as any user sees it', async () => {
    expect(await lockHolder(data)).toBeUndefined();
    const holder = spawn('flock', ['--no-fork', lock, 'sleep', '1000'], { stdio: 'ignore' });
    await until('the lock', async () => (await lockHolder(data)) === String(holder.pid));
    expect(await codeOf(requireIdle(data))).toBe('SB-ACT-DATA-BUSY');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(await lockHolder(data)).toBeUndefined();
  });

  it('[T01] [T04] names the process that has a file open', async () => {
    const file = await open(lock);
    expect(await openedBy(data)).toBe(String(process.pid));
    await file.close();
    await requireIdle(data);
  });

  it('does not mind a folder whose name only begins the same', async () => {
    const other = await host.write('data.old/LOCK', '');
    const file = await open(other);
    await requireIdle(data);
    await file.close();
  });
});
