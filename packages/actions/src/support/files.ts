import { createHash } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { chmod, chown, copyFile, lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { actionError } from '../codes.ts';

/** An absolute path in normal form: `..` in a runbook would make the reader see another path than the host. */
export const HostPath = z
  .string()
  .max(4096)
  .regex(/^(?![\s\S]*\/\.\.?(?:\/|$))\/[^\0]*$/, 'an absolute path without . and ..');

export const Sha256 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, 'a sha256 in 64 hex digits')
  .toLowerCase();

/**
 * An ordinary file, or undefined when nothing is there. Symbolic links are not followed: who may write a folder could
 * otherwise choose which file an agent with more rights replaces.
 * @throws SB-ACT-SYMLINK, SB-ACT-FILE for anything else that is no file.
 */
export async function lookAtFile(path: string): Promise<Stats | undefined> {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats?.isSymbolicLink()) throw actionError('SB-ACT-SYMLINK', `${path} is a symbolic link`);
  if (stats && !stats.isFile()) throw actionError('SB-ACT-FILE', `${path} is not an ordinary file`);
  return stats;
}

export async function sha256File(path: string): Promise<string> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  const hash = createHash('sha256');
  await pipeline(createReadStream('', { fd: handle, autoClose: true }), hash);
  return hash.digest('hex');
}

export function sha256Text(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The checksum of a file, or undefined when there is none. @throws SB-ACT-SYMLINK */
export async function sha256IfThere(path: string): Promise<string | undefined> {
  return (await lookAtFile(path)) ? sha256File(path) : undefined;
}

/** Copies to a path that must not exist, with the owner and mode that are given, and has it on disk when it returns. */
export async function copyDurably(
  source: string,
  target: string,
  { mode, uid, gid }: { mode: number; uid: number; gid: number },
): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  await own(target, { uid, gid });
  await chmod(target, mode & 0o7777);
  await syncPath(target);
}

/** Changes the owner only where it differs: an agent that is not root may copy its own files. */
export async function own(path: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const now = await lstat(path);
  if (now.uid !== uid || now.gid !== gid) await chown(path, uid, gid);
}

/** Has a file's content, or a folder's entries, on disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function syncFolderOf(path: string): Promise<void> {
  return syncPath(dirname(path));
}
