import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { compareSignerState, readSignerState, SIGNER_STATE_FILE, type SignerState } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { copyDurably, lookAtFile, syncPath } from '../support/files.ts';
import { type Manifest, stillAs } from '../support/manifest.ts';

/** A signing state and the data folder that it was read in. */
export interface FoundSigner {
  data: string;
  state: SignerState;
}

/** Undefined when the folder has none (no folder, or a node whose key is elsewhere). @throws SB-ACT-SIGNER-UNKNOWN */
export async function signerIn(data: string): Promise<SignerState | undefined> {
  const path = join(data, SIGNER_STATE_FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const state = readSignerState(text);
  if (!state) throw actionError('SB-ACT-SIGNER-UNKNOWN', `${path} does not say what was signed last`);
  return state;
}

/** The one that signed last; on a tie the first, so live folders are named before copies. */
export async function newestSigner(folders: readonly string[]): Promise<FoundSigner | undefined> {
  let newest: FoundSigner | undefined;
  for (const data of folders) {
    const state = await signerIn(data);
    if (state && (!newest || compareSignerState(state, newest.state) > 0)) newest = { data, state };
  }
  return newest;
}

/**
 * Whether a data folder still is what was backed up. The signing state does not count: it may be newer, and then it is
 * the one that must stay [T05].
 */
export function unchanged(manifest: Manifest, data: string, { signal }: { signal: AbortSignal }): Promise<boolean> {
  return stillAs(manifest, data, { except: SIGNER_STATE_FILE, signal });
}

/** Puts one folder's signing state into another, whole: signature and sign bytes belong to the height. */
export async function carrySigner(from: string, to: string): Promise<void> {
  const [source, target] = [join(from, SIGNER_STATE_FILE), join(to, SIGNER_STATE_FILE)];
  const stats = await lookAtFile(source);
  if (!stats) throw actionError('SB-ACT-SIGNER-UNKNOWN', `${source} is gone`);
  await copyDurably(source, `${target}.carried`, stats);
  await rename(`${target}.carried`, target);
  await syncPath(to);
}
