import { rename, stat } from 'node:fs/promises';
import type { HostContext, JsonObject } from '@signalbox/protocol';
import { compareSignerState, type SignerState } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { syncPath } from '../support/files.ts';
import { requireIdle } from '../support/in-use.ts';
import { copyIn, verifyBackup } from '../support/manifest.ts';
import { copyTree, requireSpace, treeBytes } from '../support/tree.ts';
import { requireStopped } from '../support/unit.ts';
import { dataOf, type HomeAndUnit } from './home.ts';
import { carrySigner, newestSigner, signerIn, unchanged } from './signer.ts';

export interface RestoreOptions extends HomeAndUnit {
  backup: string;
  /** Where the present data goes; always the same name for one step, so that a second try finds what the first did. */
  aside: string;
  manifestSha256?: string | undefined;
  /** What is known to have been signed. */
  atLeast?: SignerState | undefined;
}

/**
 * Puts a backup in the place of a node's data, unless the data is still what was backed up. The order is the safety
 * [T05]: prove the backup, copy it beside, carry the newest signing state into the copy, and only then rename. Nothing
 * is deleted; after a crash at any line the next try goes on.
 */
export async function restoreData(context: HostContext, options: RestoreOptions): Promise<JsonObject> {
  const { home, unit, backup, aside } = options;
  const data = dataOf(home);
  await requireStopped(context, unit);
  const manifest = await verifyBackup(backup, { manifestSha256: options.manifestSha256, signal: context.signal });
  if (await isThere(data)) {
    await requireIdle(data);
    if (await unchanged(manifest, data, context)) return { restored: false };
  }
  await requireSpace(home, await treeBytes(copyIn(backup)));
  const incoming = `${data}.restoring-${context.executionId}`;
  await copyTree(copyIn(backup), incoming, context.signal);
  return swapIn({ ...options, data, incoming, live: [data, aside] });
}

export interface SwapOptions {
  home: string;
  data: string;
  /** Becomes the data. */
  incoming: string;
  aside: string;
  /** Folders whose signing state is that of the running node. */
  live: readonly string[];
  atLeast?: SignerState | undefined;
}

/** Exchanges data folders, never setting the signing state back. @throws SB-ACT-SIGNER-UNKNOWN, SB-ACT-SIGNER-BACKWARD */
export async function swapIn({ home, data, incoming, aside, live, atLeast }: SwapOptions): Promise<JsonObject> {
  const [current, saved] = [await newestSigner(live), await signerIn(incoming)];
  if (!current && (saved || atLeast)) {
    throw actionError('SB-ACT-SIGNER-UNKNOWN', `${data} has no signing state, so it may be older in ${incoming}`);
  }
  if (current && (!saved || compareSignerState(current.state, saved) >= 0) && current.data !== incoming) {
    await carrySigner(current.data, incoming);
  }
  const state = await signerIn(incoming);
  for (const known of [current?.state, atLeast]) {
    if (known && (!state || compareSignerState(state, known) < 0)) {
      const heights = `${state?.height ?? 'none'}, but ${known.height} was signed`;
      throw actionError('SB-ACT-SIGNER-BACKWARD', `the data to restore has height ${heights}`);
    }
  }
  const there = await isThere(data);
  if (there && (await isThere(aside))) {
    throw actionError('SB-ACT-BACKUP-EXISTS', `${aside} is there already, and ${data} as well`);
  }
  if (there) await rename(data, aside);
  await rename(incoming, data);
  await syncPath(home);
  return { restored: true, aside, ...(state && { signer: { ...state } }) };
}

export function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
