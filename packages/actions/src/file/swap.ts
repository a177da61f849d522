import { lstat, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject, type JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, syncFolderOf } from '../support/files.ts';
import { keptName } from '../support/replace.ts';

const With = z.strictObject({
  folder: HostPath.describe('The folder that is replaced; no link.'),
  source: HostPath.describe('The folder that takes its place, on the same file system.'),
});
type With = z.infer<typeof With>;

/** A folder as the file system knows it, whatever its name is at the moment. */
const identity = async (path: string) => {
  const stats = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (stats === undefined) return undefined;
  if (stats.isSymbolicLink()) throw actionError('SB-ACT-SYMLINK', `${path} is a symbolic link`);
  if (!stats.isDirectory()) throw actionError('SB-ACT-FILE', `${path} is no folder`);
  return `${stats.dev}:${stats.ino}`;
};

export const fileSwap = defineAction<With>({
  name: 'file.swap',
  version: 1,
  summary: 'Puts a folder in the place of another by two renames; undo puts both back where they were.',
  schema: With,
  effect: 'reversible',
  does: 'put {source} in the place of {folder}',
  undoes: 'the old {folder} back',
  byHand: 'mv -T -- {folder} {source} && mv -T -- {receipt.own.kept} {folder}',
  leaves: 'the old folder, until the step is undone',
  touches: ['path:{folder}'],
  receipt: { old: 'device and inode of the old folder', fresh: 'of the one that takes its place' },

  async check(context, { folder, source }) {
    const [old, fresh] = [await identity(folder), await identity(source)];
    const problems = [];
    if (old === undefined) problems.push(actionError('SB-ACT-SOURCE-MISSING', `${folder} is not there`).failure);
    if (fresh === undefined) problems.push(actionError('SB-ACT-SOURCE-MISSING', `${source} is not there`).failure);
    else if ((await stat(dirname(folder))).dev !== (await stat(source)).dev) {
      problems.push(actionError('SB-ACT-FILE', `${source} is on another file system than ${folder}`).failure);
    }
    const kept = keptName(folder, context);
    return { before: { old: old ?? null, fresh: fresh ?? null, own: { kept } }, problems };
  },

  async run(_context, { folder, source }, before) {
    const { old, fresh, kept } = recorded(before);
    if ((await identity(folder)) === fresh) return {};
    if ((await identity(folder)) === old) await rename(folder, kept);
    if ((await identity(kept)) !== old || (await identity(source)) !== fresh) {
      throw actionError('SB-ACT-CHANGED-MEANWHILE', `${folder} or ${source} is not what was checked`);
    }
    // Empty for the time of one system call; `undo` and a further attempt find it so.
    await rename(source, folder);
    await syncFolderOf(folder);
    return {};
  },

  async undo(_context, { folder, source }, receipt) {
    if (Object.keys(receipt).length === 0) return { restored: false };
    const { old, fresh, kept } = recorded(receipt);
    const now = await identity(folder);
    if (now === old) return { restored: false };
    if (now !== undefined && now !== fresh) {
      throw actionError('SB-ACT-CHANGED-MEANWHILE', `${folder} is neither the old folder nor the new one`);
    }
    if ((await identity(kept)) !== old) throw actionError('SB-ACT-KEPT-DAMAGED', `${kept} is not the old ${folder}`);
    if (now === fresh) await rename(folder, source);
    await rename(kept, folder);
    await syncFolderOf(folder);
    return { restored: true };
  },

  async probe(_context, { folder }, { direction, receipt }) {
    const { old, fresh } = recorded(receipt);
    const now = await identity(folder);
    if (now === undefined) return 'partial';
    if (now === (direction === 'do' ? fresh : old)) return 'applied';
    return now === (direction === 'do' ? old : fresh) ? 'not-applied' : 'cannot-tell';
  },
});

/** @throws SB-ACT-NO-RECEIPT */
function recorded({ old, fresh, own }: JsonObject) {
  const kept = isJsonObject(own) ? own.kept : undefined;
  if (typeof old !== 'string' || typeof fresh !== 'string' || typeof kept !== 'string') {
    throw actionError('SB-ACT-NO-RECEIPT', 'which folders were swapped was not recorded');
  }
  return { old, fresh, kept };
}
