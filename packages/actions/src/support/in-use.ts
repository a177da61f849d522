import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { actionError } from '../codes.ts';
import { listFiles } from './tree.ts';

/**
 * Refuses a data folder that any process still works on. A copy of an open LevelDB is corrupt although each file copies
 * well [T01, T04]. Two ways of asking, because an agent without root sees the locks of others but not their open files.
 * @throws SB-ACT-DATA-BUSY
 */
export async function requireIdle(data: string): Promise<void> {
  const pid = (await lockHolder(data)) ?? (await openedBy(data));
  if (pid !== undefined) throw actionError('SB-ACT-DATA-BUSY', `process ${pid} works on ${data}`);
}

/**
 * The process that has a database's lock. proc(5): `1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF`; the
 * LOCK files are found by their inode.
 */
export async function lockHolder(data: string): Promise<string | undefined> {
  const inodes = new Map<string, string>();
  for (const line of (await readFile('/proc/locks', 'utf8').catch(() => '')).split('\n')) {
    const [, pid, inode] = /^\d+: \S+ +\S+ +\S+ +(-?\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? [];
    if (pid && inode) inodes.set(inode, pid);
  }
  for (const { path } of await listFiles(data)) {
    const holder = path.endsWith('LOCK') && inodes.get(String((await stat(join(data, path))).ino));
    if (holder) return holder;
  }
  return undefined;
}

/** A process that has a file of the folder open; an agent sees its own and, as root, all. */
export async function openedBy(data: string): Promise<string | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const path = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      if (path.startsWith(`${data}/`)) return pid;
    }
  }
  return undefined;
}
