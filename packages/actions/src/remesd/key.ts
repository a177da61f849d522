import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostContext } from '@signalbox/protocol';
import { actionError } from '../codes.ts';
import { own } from '../support/files.ts';
import { requireIdle } from '../support/in-use.ts';
import { requireStopped } from '../support/unit.ts';
import { dataOf, type HomeAndUnit } from './home.ts';
import { isThere } from './swap.ts';

/** Where CometBFT keeps the validator key below a node's home unless `priv_validator_key_file` says otherwise. */
export const keyOf = (home: string): string => join(home, 'config', 'priv_validator_key.json');

/** The public address of a key file; all that is ever said of it. @throws SB-ACT-VALIDATOR-KEY */
export async function addressIn(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  try {
    const { address } = JSON.parse(text) as { address?: unknown };
    if (typeof address === 'string' && /^[0-9A-F]{40}$/i.test(address)) return address;
  } catch {
    // Told below, without a word of what is in the file [I9].
  }
  throw actionError('SB-ACT-VALIDATOR-KEY', `${path} names no validator's address`);
}

/** A key changes hands only under a node that is down: a running one has it in memory. */
export async function requireNodeDown(context: HostContext, { home, unit }: HomeAndUnit): Promise<void> {
  await requireStopped(context, unit);
  const data = dataOf(home);
  if (await isThere(data)) await requireIdle(data);
}

/** A file among a node's own must be readable by the node, whoever put it there. */
export async function giveToNode(path: string): Promise<void> {
  await own(path, await stat(dirname(path)));
}
