import { rename } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { copyDurably, HostPath, lookAtFile, sha256IfThere, syncFolderOf } from '../support/files.ts';
import { keptName, requireSha256 } from '../support/replace.ts';

const With = z.strictObject({ path: HostPath.describe('The file; its copy stands beside it.') });

export const fileBackup = defineAction<z.infer<typeof With>>({
  name: 'file.backup',
  version: 1,
  summary: 'Copies a file beside itself; undo puts the copy back if the file has changed since.',
  schema: With,
  effect: 'reversible',
  does: 'back up {path}',
  undoes: '{path} as it was',
  byHand: 'cp -a -- {receipt.own.backup} {path}',
  leaves: 'the copy',
  touches: ['path:{path}'],
  receipt: { backup: 'path of the copy', sha256: 'of the file', bytes: 'size of the file' },

  async check(context, { path }) {
    const stats = await lookAtFile(path);
    const sha256 = await sha256IfThere(path);
    const problems = stats ? [] : [actionError('SB-ACT-SOURCE-MISSING', `${path} is not there`).failure];
    const before = { sha256: sha256 ?? null, bytes: stats?.size ?? null, own: { backup: keptName(path, context) } };
    return { before, note: stats ? `${stats.size} bytes` : 'missing', problems };
  },

  async run(context, { path }, before) {
    const stats = await lookAtFile(path);
    if (!stats) throw actionError('SB-ACT-SOURCE-MISSING', `${path} is not there`);
    const backup = copyNamed(before) ?? keptName(path, context);
    const part = `${keptName(path, context)}.part`;
    await copyDurably(path, part, stats);
    if (typeof before.sha256 === 'string') await requireSha256(part, before.sha256);
    await rename(part, backup);
    await syncFolderOf(backup);
    return { backup };
  },

  async undo(context, { path }, receipt) {
    const { sha256 } = receipt;
    const backup = copyNamed(receipt);
    if (backup === undefined || typeof sha256 !== 'string') return { restored: false };
    if ((await sha256IfThere(path)) === sha256) return { restored: false };
    const stats = await lookAtFile(backup);
    // No copy was finished, so no later step has run, and what changed the file was not this run.
    if (!stats && receipt.backup === undefined) return { restored: false };
    if (!stats || (await sha256IfThere(backup)) !== sha256) {
      throw actionError('SB-ACT-KEPT-DAMAGED', `${backup} is not the file that was backed up (sha256 ${sha256})`);
    }
    const beside = `${backup}.back-${context.executionId}`;
    await copyDurably(backup, beside, stats);
    await rename(beside, path);
    await syncFolderOf(path);
    await requireSha256(path, sha256);
    return { restored: true };
  },

  async probe(_context, { path }, { direction, receipt }) {
    const named = copyNamed(receipt);
    const copy = named === undefined ? undefined : await sha256IfThere(named);
    if (direction === 'undo') {
      return copy === undefined || (await sha256IfThere(path)) === receipt.sha256 ? 'applied' : 'not-applied';
    }
    if (copy === undefined) return 'not-applied';
    return copy === receipt.sha256 ? 'applied' : 'partial';
  },
});

/** The name that this step made for its copy when it was checked. */
function copyNamed({ own }: JsonObject): string | undefined {
  return isJsonObject(own) && typeof own.backup === 'string' ? own.backup : undefined;
}
