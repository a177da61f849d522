import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostContext, isJsonObject, type JsonObject, SignalboxError } from '@signalbox/protocol';
import type { SignerState } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { syncPath } from '../support/files.ts';
import { requireIdle } from '../support/in-use.ts';
import { copyIn, describe, readManifest, writeManifest } from '../support/manifest.ts';
import { copyTree, requireSpace, size, treeBytes } from '../support/tree.ts';
import { requireStopped } from '../support/unit.ts';
import { dataOf, dataProblems, HomeAndUnit, homeProblems } from './home.ts';
import { newestSigner, signerIn, unchanged } from './signer.ts';
import { blocksSince } from './since.ts';
import { isThere, restoreData } from './swap.ts';

/** Bytes a second that copying and hashing reach on a plain SSD; a guess for screens, nothing depends on it. */
const USUAL_SPEED = 150_000_000;

export const remesdBackup = defineAction<HomeAndUnit>({
  name: 'remesd.backup',
  version: 1,
  summary: "Copies a stopped node's data, with a manifest; undo restores it without setting the signing state back.",
  schema: HomeAndUnit,
  effect: 'reversible',
  does: 'back up {home}/data',
  undoes: 'restore {home}/data if it changed, keeping the newer signing state',
  leaves: 'the backup below {home}/backups, and the data that was set aside, with the blocks since',
  touches: ['path:{home}'],
  receipt: {
    path: 'folder of the backup',
    manifestSha256: 'checksum of its manifest',
    files: 'how many',
    bytes: 'in all',
    signer: 'height, round and step that were signed last',
  },
  timeoutMs: 60 * 60_000,

  async check(context, input) {
    const problems = [...(await homeProblems(context, input)), ...(await dataProblems(input.home))];
    if (problems.length > 0) return { before: {}, problems };
    const bytes = await treeBytes(dataOf(input.home));
    const full = await requireSpace(input.home, bytes).catch((error: unknown) => error);
    if (full instanceof SignalboxError) problems.push(full.failure);
    const path = join(input.home, 'backups', context.executionId);
    const aside = `${dataOf(input.home)}.before-undo-${context.executionId}`;
    const estimateMs = Math.round((bytes / USUAL_SPEED) * 1_000);
    return { before: { own: { path, aside } }, note: `data ${size(bytes)}`, problems, estimateMs };
  },

  async run(context, input, before) {
    const data = dataOf(input.home);
    const { path } = names(before);
    const [problem] = [...(await homeProblems(context, input)), ...(await dataProblems(input.home))];
    if (problem) throw new SignalboxError(problem);
    await requireStopped(context, input.unit);
    await requireIdle(data);
    const bytes = await treeBytes(data);
    await requireSpace(input.home, bytes);
    await mkdir(join(input.home, 'backups'), { recursive: true, mode: 0o700 });
    await makeRoom(context, path);
    await mkdir(path, { mode: 0o700 });
    await copyTree(data, copyIn(path), context.signal);
    const files = await describe(copyIn(path), context.signal);
    // Whoever started the node meanwhile made this copy worthless: no manifest, no backup.
    await requireStopped(context, input.unit);
    await requireIdle(data);
    const manifestSha256 = await writeManifest(path, { version: 1, home: input.home, files });
    await syncPath(join(input.home, 'backups'));
    const signer = await signerIn(copyIn(path));
    return { path, manifestSha256, files: files.length, bytes, ...(signer && { signer: { ...signer } }) };
  },

  async undo(context, input, receipt) {
    const { path, aside } = names(receipt);
    const finished = typeof receipt.manifestSha256 === 'string';
    // Not finished: no later step has run, so the data is what it was.
    if (!finished && (path === '' || !(await readManifest(path)))) return { restored: false };
    return restoreData(context, {
      ...input,
      backup: path,
      aside,
      manifestSha256: finished ? String(receipt.manifestSha256) : undefined,
      atLeast: signerOf(receipt),
    });
  },

  // The chain goes on whether or not the new release has left anything that the old one cannot read, and no host can tell whether
  // another one has kept its blocks. Until they are there again, a validator signs nothing.
  async loses(_context, { home }, receipt) {
    const { path, aside } = names(receipt);
    if (path === '' || !(await readManifest(path))) return [];
    const [data, now] = [dataOf(home), await newestSigner([dataOf(home), aside])];
    return [blocksSince({ before: signerOf(receipt) ?? (await signerIn(copyIn(path))), now: now?.state, data })];
  },

  async probe(context, { home }, { direction, receipt }) {
    const { path, aside } = names(receipt);
    const manifest = path === '' ? undefined : await readManifest(path);
    if (direction === 'do') {
      if (manifest) return 'applied';
      return path !== '' && (await isThere(path)) ? 'partial' : 'not-applied';
    }
    if (!manifest) return 'applied';
    if (!(await isThere(dataOf(home)))) return (await isThere(aside)) ? 'partial' : 'cannot-tell';
    return (await unchanged(manifest, dataOf(home), context)) ? 'applied' : 'not-applied';
  },
});

/** A second attempt finds what the first one left unfinished and moves it out of its way; a finished backup stays. */
async function makeRoom(context: HostContext, path: string): Promise<void> {
  if (!(await isThere(path))) return;
  if (await readManifest(path)) throw actionError('SB-ACT-BACKUP-EXISTS', `${path} is there already`);
  await rename(path, `${path}.unfinished-${context.executionId}`);
}

/** The names that this step made for itself when it was checked; empty when it never came so far. */
function names({ own: made }: JsonObject): { path: string; aside: string } {
  const { path, aside } = isJsonObject(made) ? made : {};
  return { path: typeof path === 'string' ? path : '', aside: typeof aside === 'string' ? aside : '' };
}

function signerOf({ signer }: JsonObject): SignerState | undefined {
  if (!isJsonObject(signer)) return undefined;
  const { height, round, step } = signer;
  const known = (typeof height === 'number' || typeof height === 'string') && typeof round === 'number';
  return known && typeof step === 'number' ? { height, round, step } : undefined;
}
