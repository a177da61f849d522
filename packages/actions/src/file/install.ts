import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, lookAtFile, Sha256, sha256File, sha256IfThere } from '../support/files.ts';
import {
  keptName,
  PUT_BACK_BY_HAND,
  probeReplacement,
  putBack,
  type Replacement,
  readReplacement,
  replaceFile,
  replacementReceipt,
} from '../support/replace.ts';

const With = z.strictObject({
  source: HostPath.describe('A file that is on the host already.'),
  target: HostPath.describe('Where it goes; its folder must exist.'),
  sha256: Sha256.optional().describe('What the source must have; when not given, what it had when it was checked.'),
  mode: z
    .string()
    .regex(/^0?[0-7]{3,4}$/, 'octal digits, as in 0644')
    .optional()
    .describe('Octal; the mode of the old file when not given.'),
});
type With = z.infer<typeof With>;

export const fileInstall = defineAction<With>({
  name: 'file.install',
  version: 1,
  summary: 'Puts a file in the place of another, atomically; the old one is kept.',
  schema: With,
  effect: 'reversible',
  does: 'install {source} as {target}',
  undoes: 'old {target} back',
  byHand: PUT_BACK_BY_HAND,
  touches: ['path:{target}'],
  receipt: { target: 'path', newSha256: 'of the source', oldSha256: 'of the old file; null when there was none' },

  async check(context, { source, target, sha256 }) {
    await access(dirname(target), constants.W_OK);
    const newSha256 = await sha256IfThere(source);
    const oldSha256 = await sha256IfThere(target);
    const problems = [];
    if (newSha256 === undefined) problems.push(actionError('SB-ACT-SOURCE-MISSING', `${source} is not there`).failure);
    else if (sha256 !== undefined && newSha256 !== sha256) {
      problems.push(actionError('SB-ACT-CHECKSUM', `${source} has sha256 ${newSha256}, not ${sha256}`).failure);
    }
    const kept = keptName(target, context);
    const before = replacementReceipt({ target, newSha256: sha256 ?? newSha256 ?? '', oldSha256, kept });
    return { before, note: noteOf(oldSha256, newSha256), problems };
  },

  async run(context, { source, mode }, before) {
    await replaceFile(context, readReplacement(before), {
      source,
      ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) }),
    });
    return {};
  },

  async undo(_context, input, receipt) {
    if (await neverInstalled(input, receipt)) return { restored: false };
    return { restored: await putBack(readReplacement(receipt)) };
  },

  async probe(_context, _input, { direction, receipt }) {
    return probeReplacement(readReplacement(receipt), direction);
  },
});

/** Without a receipt the host can still show that nothing was installed. */
async function neverInstalled({ source, target }: With, receipt: object): Promise<boolean> {
  if (Object.keys(receipt).length > 0 || !(await lookAtFile(source))) return false;
  return (await sha256IfThere(target)) !== (await sha256File(source));
}

function noteOf(old: Replacement['oldSha256'], fresh: string | undefined): string {
  if (old === undefined) return 'new file';
  return old === fresh ? 'the same file already' : 'replaces another file';
}
