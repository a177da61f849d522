import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { asOwner, compareSignerState, SIGNER_STATE_FILE } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { answer, succeed } from '../support/exec.ts';
import { copyDurably, HostPath, lookAtFile, Sha256, syncPath } from '../support/files.ts';
import { requireSha256 } from '../support/replace.ts';
import { UnitName } from '../support/unit.ts';
import { dataOf } from './home.ts';
import { addressIn, giveToNode, keyOf, requireNodeDown } from './key.ts';
import { programOf } from './program.ts';
import { carrySigner, signerIn } from './signer.ts';
import { blocksSince } from './since.ts';
import { isThere } from './swap.ts';

const With = z.strictObject({
  unit: UnitName.default('remesd.service').describe('The unit that runs the node; its program makes the home.'),
  home: HostPath.describe('The new home; it must not exist.'),
  moniker: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dots and dashes')
    .describe('What the node calls itself.'),
  genesis: HostPath.describe('The genesis file, or an exported state: its chain is that of the home.'),
  sha256: Sha256.describe('Of that file, as it was exported or published.'),
  config: HostPath.describe('A folder whose *.toml files are taken over: addresses, peers, pruning.'),
  keyFrom: HostPath.optional().describe(
    'A home whose validator key goes along, with what it has signed; left out, the node gets a key of its own.',
  ),
});
type With = z.infer<typeof With>;

export const remesdNewHome = defineAction<With>({
  name: 'remesd.newHome',
  version: 1,
  summary:
    'Makes a home for a stopped node from a genesis file that the program itself finds valid; a validator key takes along what it has signed.',
  schema: With,
  effect: 'reversible',
  does: 'make {home} from {genesis}',
  undoes: 'the home set aside; what was signed in it is remembered by the home that the key came from',
  leaves: 'the home that was set aside',
  touches: ['path:{home}'],
  receipt: {
    home: 'path',
    chainId: 'of the genesis',
    initialHeight: 'first height of the chain from it',
    address: 'of the validator key in it',
  },
  timeoutMs: 30 * 60_000,

  async check(context, input) {
    const { home, genesis, unit, keyFrom } = input;
    const { program, problems } = await programOf(context, unit, ['init']);
    if (program !== undefined) problems.push(...(await programOf(context, unit, ['genesis', 'validate'])).problems);
    if (await isThere(home)) problems.push(actionError('SB-ACT-BACKUP-EXISTS', `${home} is there already`).failure);
    if (!(await isThere(dirname(home)))) {
      problems.push(actionError('SB-ACT-FILE', `${dirname(home)} is no folder`).failure);
    }
    if (!(await lookAtFile(genesis))) {
      problems.push(actionError('SB-ACT-SOURCE-MISSING', `${genesis} is not there`).failure);
    }
    if (keyFrom !== undefined) await addressIn(keyOf(keyFrom));
    const names = {
      part: `${home}.signalbox-${context.executionId}`,
      aside: `${home}.signalbox-undone-${context.executionId}`,
    };
    return { before: { own: names }, note: program ?? 'unknown program', problems };
  },

  async run(context, input, before) {
    const { home, unit, genesis, sha256, moniker, config, keyFrom } = input;
    const { part } = namesIn(before);
    if (keyFrom !== undefined) await requireNodeDown(context, { home: keyFrom, unit });
    if (await isThere(home)) throw actionError('SB-ACT-BACKUP-EXISTS', `${home} is there already`);
    await requireSha256(genesis, sha256);
    const { chainId, initialHeight } = await genesisIn(genesis);
    const { program = '' } = await programOf(context, unit, ['init']);
    await rm(part, { recursive: true, force: true });
    // As the owner of the folder above: what root leaves in a home, the node could not open.
    const init = [program, 'init', moniker, '--chain-id', chainId, '--home', part] as const;
    await succeed(context, await asOwner(dirname(home), init));
    await takeOver(genesis, join(part, 'config', 'genesis.json'));
    for (const file of (await readdir(config)).filter((name) => name.endsWith('.toml'))) {
      await takeOver(join(config, file), join(part, 'config', file));
    }
    await requireValid(context, { program, part });
    // The state first, then the key: a key without the knowledge of what it signed would sign it again [T05].
    if (keyFrom !== undefined) {
      if (await signerIn(dataOf(keyFrom))) await carrySigner(dataOf(keyFrom), dataOf(part));
      await takeOver(keyOf(keyFrom), keyOf(part));
    }
    await rename(part, home);
    await syncPath(dirname(home));
    return { home, chainId, initialHeight, address: await addressIn(keyOf(home)) };
  },

  async undo(context, input, receipt) {
    const { home, unit, keyFrom } = input;
    if (Object.keys(receipt).length === 0) return { restored: false };
    const { part, aside } = namesIn(receipt);
    await rm(part, { recursive: true, force: true });
    const made = (await isThere(home)) ? home : aside;
    if (!(await isThere(made))) return { restored: false };
    await requireNodeDown(context, { home: made, unit });
    if (keyFrom !== undefined) {
      const [there, here] = [await signerIn(dataOf(made)), await signerIn(dataOf(keyFrom))];
      // Set aside, not deleted, and first of all remembered: the old home must not sign these heights again [T05].
      if (there && (!here || compareSignerState(there, here) > 0)) await carrySigner(dataOf(made), dataOf(keyFrom));
    }
    if (made === home) await rename(home, aside);
    await syncPath(dirname(home));
    return { restored: made === home, aside };
  },

  async loses(_context, { home, keyFrom }, _receipt) {
    const data = dataOf(home);
    const files = await readdir(data).catch(() => []);
    // A home in which no node has run has made no block.
    if (files.every((name) => name === SIGNER_STATE_FILE)) return [];
    const before = keyFrom === undefined ? undefined : await signerIn(dataOf(keyFrom));
    return [blocksSince({ before, now: await signerIn(data), data })];
  },

  async probe(_context, { home }, { direction, receipt }) {
    const { part } = namesIn(receipt);
    if (direction === 'undo') return (await isThere(home)) || (await isThere(part)) ? 'not-applied' : 'applied';
    if (await isThere(home)) return 'applied';
    return (await isThere(part)) ? 'partial' : 'not-applied';
  },
});

/** A copy that belongs to the node, in the place of what `init` wrote. */
async function takeOver(source: string, target: string): Promise<void> {
  await rm(target, { force: true });
  await copyDurably(source, target, { mode: 0o600, uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });
  await giveToNode(target);
}

/** @throws SB-ACT-EXPORT with the program's own reason */
async function requireValid(context: HostContext, { program, part }: { program: string; part: string }): Promise<void> {
  const file = join(part, 'config', 'genesis.json');
  const argv = await asOwner(dirname(part), [program, 'genesis', 'validate', file, '--home', part]);
  const { exitCode, stderr } = await answer(context, argv, { quiet: true });
  if (exitCode === 0) return;
  const said = stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  throw actionError('SB-ACT-EXPORT', `${basename(program)} does not take the genesis: ${said}`);
}

/** @throws SB-ACT-EXPORT */
export async function genesisIn(file: string): Promise<{ chainId: string; initialHeight: string }> {
  const wrong = (why: string) => actionError('SB-ACT-EXPORT', `the genesis ${file} ${why}`);
  let genesis: unknown;
  try {
    genesis = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    throw wrong('is no JSON');
  }
  const { chain_id: chainId, initial_height: height = '1', app_state: app } = Object(genesis);
  if (typeof chainId !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(chainId)) throw wrong('names no chain');
  if (typeof app !== 'object' || app === null) throw wrong('has no app_state');
  if (!/^[1-9]\d*$/.test(String(height))) throw wrong('has no initial height');
  return { chainId, initialHeight: String(height) };
}

/** @throws SB-ACT-NO-RECEIPT */
function namesIn({ own: made }: JsonObject): { part: string; aside: string } {
  const { part, aside } = isJsonObject(made) ? made : {};
  if (typeof part !== 'string' || typeof aside !== 'string' || !part.includes('.signalbox-')) {
    throw actionError('SB-ACT-NO-RECEIPT', 'where the home was made was not recorded');
  }
  return { part, aside };
}
