import { link, rename, rm } from 'node:fs/promises';
import { type Applied, type Direction, type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { actionError } from '../codes.ts';
import { copyDurably, lookAtFile, sha256File, sha256IfThere, syncFolderOf } from './files.ts';

/**
 * One file replaced by another, atomically and with a way back. The receipt names the checksums and, under `own`, the
 * name that this execution made for the old file: `own` is no fact of the host, so drift between a plan and a start does
 * not look at it.
 */
export interface Replacement {
  target: string;
  newSha256: string;
  /** Undefined: there was no file. */
  oldSha256: string | undefined;
  kept: string;
}

/** What a person types to put the old file back, which is proven to be the old one first; nothing where there was none. */
export const PUT_BACK_BY_HAND =
  'echo {receipt.oldSha256} \\*{receipt.own.kept} | sha256sum --check && mv -f -- {receipt.own.kept} {receipt.target}';

export function keptName(target: string, context: HostContext): string {
  return `${target}.signalbox-${context.executionId}`;
}

export function replacementReceipt({ target, newSha256, oldSha256, kept }: Replacement): JsonObject {
  return { target, newSha256, oldSha256: oldSha256 ?? null, own: { kept } };
}

/** @throws SB-ACT-NO-RECEIPT */
export function readReplacement(receipt: JsonObject): Replacement {
  const { target, newSha256, oldSha256, own } = receipt;
  const kept = isJsonObject(own) ? own.kept : undefined;
  if (typeof target !== 'string' || typeof newSha256 !== 'string' || typeof kept !== 'string') {
    throw actionError('SB-ACT-NO-RECEIPT', 'the receipt does not say which file was replaced, and by what');
  }
  return { target, newSha256, oldSha256: typeof oldSha256 === 'string' ? oldSha256 : undefined, kept };
}

/**
 * Writes beside the target, proves what was written, keeps the old file under its new name, and renames: at each moment
 * there is one whole file at the target. A second attempt goes on where the first one stopped.
 * @param prove runs on the new file before it takes the target's place.
 */
export async function replaceFile(
  context: HostContext,
  { target, newSha256, oldSha256, kept }: Replacement,
  { source, mode, prove }: { source: string; mode?: number; prove?: (path: string) => Promise<void> },
): Promise<void> {
  const [from, old] = [await lookAtFile(source), await lookAtFile(target)];
  if (!from) throw actionError('SB-ACT-SOURCE-MISSING', `${source} is not there`);
  const now = await sha256IfThere(target);
  if (now === newSha256) return;
  if (now !== oldSha256) throw actionError('SB-ACT-CHANGED-MEANWHILE', `${target} changed since it was checked`);
  const beside = `${keptName(target, context)}.new`;
  try {
    const { uid, gid } = old ?? from;
    await copyDurably(source, beside, { mode: mode ?? (old ?? from).mode, uid, gid });
    await requireSha256(beside, newSha256);
    await prove?.(beside);
    if (oldSha256 !== undefined) await keep(target, kept, oldSha256);
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolderOf(target);
  await requireSha256(target, newSha256);
}

async function keep(target: string, kept: string, oldSha256: string): Promise<void> {
  const already = await sha256IfThere(kept);
  if (already === undefined) await link(target, kept);
  else if (already !== oldSha256) throw actionError('SB-ACT-KEPT-DAMAGED', `${kept} is not the old ${target}`);
}

/** Puts the old file back by rename, after proving that it is the old one. Looks first: it may never have been replaced. */
export async function putBack({ target, newSha256, oldSha256, kept }: Replacement): Promise<boolean> {
  const now = await sha256IfThere(target);
  if (now === oldSha256) return false;
  if (now !== undefined && now !== newSha256) {
    throw actionError('SB-ACT-CHANGED-MEANWHILE', `${target} has checksum ${now}`);
  }
  if (oldSha256 === undefined) {
    // There was no file before: what was installed is set aside, not deleted.
    await rename(target, kept);
  } else {
    if ((await sha256IfThere(kept)) !== oldSha256) {
      throw actionError('SB-ACT-KEPT-DAMAGED', `${kept} is not the old ${target} (sha256 ${oldSha256})`);
    }
    await rename(kept, target);
    await requireSha256(target, oldSha256);
  }
  await syncFolderOf(target);
  return true;
}

export async function probeReplacement(replacement: Replacement, direction: Direction): Promise<Applied> {
  const now = await sha256IfThere(replacement.target);
  const { newSha256, oldSha256 } = replacement;
  if (now === (direction === 'do' ? newSha256 : oldSha256)) return 'applied';
  return now === (direction === 'do' ? oldSha256 : newSha256) ? 'not-applied' : 'cannot-tell';
}

/** @throws SB-ACT-CHECKSUM */
export async function requireSha256(path: string, expected: string): Promise<void> {
  const found = await sha256File(path);
  if (found !== expected) throw actionError('SB-ACT-CHECKSUM', `${path} has sha256 ${found}, not ${expected}`);
}
