import { isJsonObject, type JsonObject, SignalboxError } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, Sha256 } from '../support/files.ts';
import { requireIdle } from '../support/in-use.ts';
import { readManifest } from '../support/manifest.ts';
import { requireStopped } from '../support/unit.ts';
import { dataOf, HOME_AND_UNIT, homeProblems } from './home.ts';
import { signerIn, unchanged } from './signer.ts';
import { blocksSince } from './since.ts';
import { isThere, restoreData, swapIn } from './swap.ts';

const With = z.strictObject({
  ...HOME_AND_UNIT,
  backup: HostPath.describe('A backup that remesd.backup made: the folder with its manifest.'),
  manifestSha256: Sha256.optional().describe('From the receipt of the backup.'),
});
type With = z.infer<typeof With>;

export const remesdRestore = defineAction<With>({
  name: 'remesd.restore',
  version: 1,
  summary: "Puts a proven backup in the place of a stopped node's data, keeping the newer signing state.",
  schema: With,
  effect: 'reversible',
  does: 'restore {home}/data from {backup}',
  undoes: 'the data that was set aside back, keeping the newer signing state',
  leaves: 'the data that was set aside',
  touches: ['path:{home}'],
  receipt: { restored: 'whether the data differed', aside: 'where the data before is', signer: 'what it says now' },
  timeoutMs: 60 * 60_000,

  async check(context, input) {
    const problems = await homeProblems(context, input);
    const manifest = await readManifest(input.backup);
    if (!manifest) {
      problems.push(actionError('SB-ACT-BACKUP-DAMAGED', `${input.backup} has no manifest: never finished`).failure);
    }
    const aside = `${dataOf(input.home)}.before-restore-${context.executionId}`;
    return { before: { own: { aside } }, note: `${manifest?.files.length ?? 0} files`, problems };
  },

  async run(context, input, before) {
    const [problem] = await homeProblems(context, input);
    if (problem) throw new SignalboxError(problem);
    return restoreData(context, { ...input, aside: asideOf(before) });
  },

  async undo(context, { home, unit }, receipt) {
    const [data, aside] = [dataOf(home), asideOf(receipt)];
    if (!(await isThere(aside))) return { restored: false };
    await requireStopped(context, unit);
    if (await isThere(data)) await requireIdle(data);
    return swapIn({
      home,
      data,
      incoming: aside,
      aside: `${data}.undone-${context.executionId}`,
      live: [data, aside],
    });
  },

  async loses(_context, { home }, receipt) {
    const [data, aside] = [dataOf(home), asideOf(receipt)];
    if (!(await isThere(aside))) return [];
    return [blocksSince({ before: await signerIn(aside), now: await signerIn(data), data })];
  },

  async probe(context, { home, backup }, { direction, receipt }) {
    const [data, aside] = [dataOf(home), asideOf(receipt)];
    const setAside = await isThere(aside);
    if (!(await isThere(data))) return setAside ? 'partial' : 'cannot-tell';
    if (direction === 'undo') return setAside ? 'not-applied' : 'applied';
    const manifest = await readManifest(backup);
    return manifest && (await unchanged(manifest, data, context)) ? 'applied' : 'not-applied';
  },
});

/** @throws SB-ACT-NO-RECEIPT */
function asideOf({ own }: JsonObject): string {
  const aside = isJsonObject(own) ? own.aside : undefined;
  if (typeof aside !== 'string') throw actionError('SB-ACT-NO-RECEIPT', 'where the data went was not recorded');
  return aside;
}
