import { lstat, mkdir, readdir, readlink, statfs, symlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { actionError } from '../codes.ts';
import { copyDurably, own, syncPath } from './files.ts';

export interface TreeEntry {
  /** Below the folder. */
  path: string;
  bytes: number;
}

/** All ordinary files below a folder, sorted. */
export async function listFiles(folder: string): Promise<TreeEntry[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const found = await Promise.all(
    files.map(async (entry) => {
      const at = join(entry.parentPath, entry.name);
      return { path: at.slice(folder.length + 1), bytes: (await lstat(at)).size };
    }),
  );
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

export async function treeBytes(folder: string): Promise<number> {
  return (await listFiles(folder)).reduce((sum, { bytes }) => sum + bytes, 0);
}

/**
 * Copies a folder to a name that must not exist: a second copy into the same name would nest inside the first [T04].
 * Files share their blocks with the originals where the file system can (reflink). All of it is on disk at the end.
 * @param wanted decides about the entries of the folder itself, by name.
 */
export async function copyTree(
  source: string,
  target: string,
  signal: AbortSignal,
  wanted: (name: string) => boolean = () => true,
): Promise<void> {
  const stats = await lstat(source);
  await mkdir(target);
  for (const entry of await readdir(source, { withFileTypes: true })) {
    signal.throwIfAborted();
    if (!wanted(entry.name)) continue;
    const [from, to] = [join(source, entry.name), join(target, entry.name)];
    if (entry.isDirectory()) await copyTree(from, to, signal);
    else if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
    else if (entry.isFile()) {
      const file = await lstat(from);
      await copyDurably(from, to, file);
      await utimes(to, file.atime, file.mtime);
    }
  }
  await own(target, stats);
  await syncPath(target, stats.mode);
}

/** File systems that can share blocks between files; statfs(2) magic numbers. */
const REFLINKS = new Set([0x9123683e /* btrfs */, 0x58465342 /* xfs */, 0xca451a4e /* bcachefs */]);

/** Space that is left over after a copy, so that a full disk is not the next failure. */
const SPARE = 1.1;

/**
 * Free space for a copy of so many bytes in a folder; nothing is asked where blocks are shared.
 * @throws SB-ACT-DISK-FULL
 */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { type, bavail, bsize } = await statfs(folder);
  const [free, needed] = [bavail * bsize, Math.ceil(bytes * SPARE)];
  if (free >= needed || REFLINKS.has(type)) return;
  throw actionError('SB-ACT-DISK-FULL', `${folder} has ${size(free)} free, the copy needs ${size(needed)}`);
}

/** As a person reads it: `48 KiB`, `3 GiB`. */
export function size(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return `${Math.round(bytes / 1024 ** step)} ${units[step]}`;
}
