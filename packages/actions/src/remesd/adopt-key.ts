import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@signalbox/protocol';
import { compareSignerState, SIGNER_STATE_FILE, type SignerState } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, sha256IfThere, syncFolderOf } from '../support/files.ts';
import {
  keptName,
  probeReplacement,
  putBack,
  readReplacement,
  replaceFile,
  replacementReceipt,
} from '../support/replace.ts';
import { dataOf, HOME_AND_UNIT, homeProblems } from './home.ts';
import { addressIn, giveToNode, keyOf, requireNodeDown } from './key.ts';
import { signerIn } from './signer.ts';

const With = z.strictObject({
  ...HOME_AND_UNIT,
  key: HostPath.describe('The validator key, brought to this host by whoever owns it, readable by root alone.'),
  height: z
    .union([z.int().min(0), z.string().regex(/^\d{1,20}$/, 'a height in digits')])
    .describe('What the key has signed last, where it was: from remesd.signerHeight there, after the node stopped.'),
  round: z.int().min(0).describe('Likewise.'),
  step: z.int().min(0).max(3).describe('Likewise.'),
});
type With = z.infer<typeof With>;

/** Gives a stopped node a validator key, and first the knowledge of what that key has signed [T06]. */
export const remesdAdoptKey = defineAction<With>({
  name: 'remesd.adoptKey',
  version: 1,
  summary: 'Gives a stopped node a validator key, after it knows what that key has signed: nothing is signed again.',
  schema: With,
  effect: 'reversible',
  does: 'make {home} the home of the validator key, signed up to {height}',
  undoes: 'the node’s own key back, unless the validator key has signed here',
  leaves: 'the signing state at that height',
  touches: ['path:{home}'],
  receipt: { address: 'whose key it is', target: 'path', newSha256: 'of the key', oldSha256: 'of the node’s own key' },

  async check(context, input) {
    const problems = await homeProblems(context, input);
    const target = keyOf(input.home);
    const address = await addressIn(input.key);
    const [newSha256 = '', oldSha256] = [await sha256IfThere(input.key), await sha256IfThere(target)];
    const replacement = replacementReceipt({ target, newSha256, oldSha256, kept: keptName(target, context) });
    return { before: { ...replacement, address }, note: `validator ${address}`, problems };
  },

  async run(context, input, before) {
    await requireNodeDown(context, input);
    // The state first: a node with the state and without the key signs nothing, the other way round it signs again.
    await raiseState(input);
    const replacement = readReplacement(before);
    await replaceFile(context, replacement, { source: input.key, mode: 0o600 });
    await giveToNode(replacement.target);
    return {};
  },

  async undo(context, input, receipt) {
    const now = await signerIn(dataOf(input.home));
    const replacement = readReplacement(receipt);
    const here = (await sha256IfThere(replacement.target)) === replacement.newSha256;
    if (here && now && compareSignerState(now, input) > 0) {
      throw actionError('SB-ACT-SIGNER-BACKWARD', `the key has signed height ${now.height} on this host`);
    }
    await requireNodeDown(context, input);
    return { restored: await putBack(replacement) };
  },

  async probe(_context, input, { direction, receipt }) {
    const key = await probeReplacement(readReplacement(receipt), direction);
    if (direction === 'undo' || key !== 'applied') return key;
    const now = await signerIn(dataOf(input.home));
    return now && compareSignerState(now, input) >= 0 ? 'applied' : 'partial';
  },
});

/** Never down: a state that is ahead, of whatever key, only makes the validator wait for the chain to pass it. */
async function raiseState({ home, height, round, step }: With): Promise<void> {
  const data = dataOf(home);
  const now = await signerIn(data);
  const signed: SignerState = { height, round, step };
  if (now && compareSignerState(now, signed) >= 0) return;
  const path = join(data, SIGNER_STATE_FILE);
  // Without a signature: at that very height CometBFT then refuses, where it would otherwise repeat itself.
  const state: JsonObject = { height: String(height), round, step };
  await writeDurably(`${path}.carried`, `${JSON.stringify(state, null, 2)}\n`);
  await giveToNode(`${path}.carried`);
  await rename(`${path}.carried`, path);
  await syncFolderOf(path);
}

async function writeDurably(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
