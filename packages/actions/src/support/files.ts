import { createHash } from 'node:crypto';
import { constants, createReadStream, type Stats } from 'node:fs';
import { copyFile, type FileHandle, lchown, lstat, open } from 'node:fs/promises';
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
  const handle = await openItself(path);
  const hash = createHash('sha256');
  await pipeline(createReadStream('', { fd: handle, autoClose: true }), hash);
  return hash.digest('hex');
}

/** What is there under that name itself, whatever is put in its place meanwhile. @throws SB-ACT-SYMLINK */
async function openItself(path: string, flags = constants.O_RDONLY, mode?: number): Promise<FileHandle> {
  return await open(path, flags | constants.O_NOFOLLOW, mode).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ELOOP' ? actionError('SB-ACT-SYMLINK', `${path} is a symbolic link`) : error;
  });
}

export function sha256Text(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The checksum of a file, or undefined when there is none. @throws SB-ACT-SYMLINK */
export async function sha256IfThere(path: string): Promise<string | undefined> {
  return (await lookAtFile(path)) ? sha256File(path) : undefined;
}

/**
 * Copies to a path that must not exist, with the owner and mode that are given, and has it on disk when it returns. Both files are the ones that were
 * opened: who may write one of the folders could otherwise have another file read, or given away, by a link in its place.
 * @throws SB-ACT-SYMLINK, SB-ACT-FILE
 */
export async function copyDurably(
  source: string,
  target: string,
  { mode, ...owner }: Owner & { mode: number },
): Promise<void> {
  await withHandle(await openItself(source, constants.O_RDONLY | constants.O_NONBLOCK), async (from) => {
    if (!(await from.stat()).isFile()) throw actionError('SB-ACT-FILE', `${source} is not an ordinary file`);
    const made = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
    await withHandle(await openItself(target, made, 0o600), async (to) => {
      // By name of the handle: the kernel copies, and shares blocks where the file system can.
      await copyFile(`/proc/self/fd/${from.fd}`, `/proc/self/fd/${to.fd}`, constants.COPYFILE_FICLONE);
      const now = await to.stat();
      if (now.uid !== owner.uid || now.gid !== owner.gid) await to.chown(owner.uid, owner.gid);
      await to.chmod(mode & 0o7777);
      await to.sync();
    });
  });
}

async function withHandle(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Changes the owner only where it differs: an agent that is not root may copy its own files. A link is not followed. */
export async function own(path: string, { uid, gid }: Owner): Promise<void> {
  const now = await lstat(path);
  if (now.uid !== uid || now.gid !== gid) await lchown(path, uid, gid);
}

/** Has a file's content, or a folder's entries, on disk; with another mode, when one is given. @throws SB-ACT-SYMLINK */
export async function syncPath(path: string, mode?: number): Promise<void> {
  await withHandle(await openItself(path), async (handle) => {
    if (mode !== undefined) await handle.chmod(mode & 0o7777);
    await handle.sync();
  });
}

export function syncFolderOf(path: string): Promise<void> {
  return syncPath(dirname(path));
}
