import type { Failure, HostContext } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { answer, executable } from '../support/exec.ts';
import { HostPath, lookAtFile, Sha256, sha256File, sha256IfThere } from '../support/files.ts';
import {
  keptName,
  PUT_BACK_BY_HAND,
  probeReplacement,
  putBack,
  readReplacement,
  replaceFile,
  replacementReceipt,
} from '../support/replace.ts';
import { lookAtUnit, requireStopped, UnitName, unitProblems } from '../support/unit.ts';

const With = z.strictObject({
  unit: UnitName.default('remesd.service').describe('The binary goes to the path that this unit starts.'),
  source: HostPath.describe('The new remesd, on the host already.'),
  sha256: Sha256.describe('What the new binary must have.'),
  version: z.string().min(1).describe('What `remesd version` of the new binary must say.'),
});
type With = z.infer<typeof With>;

export const remesdInstall = defineAction<With>({
  name: 'remesd.install',
  version: 1,
  summary:
    'Puts a remesd binary at the path that the unit starts, atomically; checksum and version proven, old one kept.',
  schema: With,
  effect: 'reversible',
  does: 'install {source} ({version}) where {unit} starts it',
  undoes: 'old binary back',
  byHand: PUT_BACK_BY_HAND,
  touches: ['unit:{unit}'],
  receipt: { target: 'path', version: 'of the old binary', oldSha256: 'of the old binary', newSha256: 'of the new' },

  async check(context, input) {
    const reading = await lookAtUnit(context, input.unit);
    const target = reading.exec?.path;
    const problems = [...unitProblems(input.unit, reading), ...(await sourceProblems(context, input))];
    if (target === undefined) {
      if (reading.loadState === 'not-found') return { before: {}, problems };
      const masked = reading.loadState === 'masked';
      const code = masked ? 'SB-ACT-UNIT-MASKED' : 'SB-ACT-UNIT-MISSING';
      const why = masked ? 'is masked, and then systemd does not say what it starts' : 'starts no program';
      problems.push(actionError(code, `${input.unit} ${why}`).failure);
      return { before: {}, problems };
    }
    const oldSha256 = await sha256IfThere(target);
    const old = oldSha256 === undefined ? 'none' : await versionOf(context, target);
    const kept = keptName(target, context);
    const before = { ...replacementReceipt({ target, newSha256: input.sha256, oldSha256, kept }), version: old };
    return { before, note: `${old} -> ${input.version}`, problems };
  },

  async run(context, input, before) {
    const replacement = readReplacement(before);
    await requireStopped(context, input.unit);
    await replaceFile(context, replacement, {
      source: input.source,
      prove: (path) => requireVersion(context, path, input.version),
    });
    await requireVersion(context, replacement.target, input.version);
    return {};
  },

  async undo(context, input, receipt) {
    if (Object.keys(receipt).length === 0) {
      const { exec } = await lookAtUnit(context, input.unit);
      if (exec && (await sha256IfThere(exec.path)) !== input.sha256) return { restored: false };
    }
    const replacement = readReplacement(receipt);
    if ((await sha256IfThere(replacement.target)) === replacement.oldSha256) return { restored: false };
    await requireStopped(context, input.unit);
    return { restored: await putBack(replacement) };
  },

  async probe(_context, _input, { direction, receipt }) {
    return probeReplacement(readReplacement(receipt), direction);
  },
});

async function sourceProblems(context: HostContext, { source, sha256, version }: With): Promise<Failure[]> {
  if (!(await lookAtFile(source))) return [actionError('SB-ACT-SOURCE-MISSING', `${source} is not there`).failure];
  const found = await sha256File(source);
  // A file with the wrong checksum is not run to ask for its version.
  if (found !== sha256) return [actionError('SB-ACT-CHECKSUM', `${source} has sha256 ${found}, not ${sha256}`).failure];
  if (!executable(source)) {
    return [actionError('SB-ACT-PROGRAM-MISSING', `${source} may not be executed: chmod +x`).failure];
  }
  const says = await versionOf(context, source);
  return isVersion(says, version) ? [] : [wrongVersion(source, says, version).failure];
}

async function requireVersion(context: HostContext, path: string, version: string): Promise<void> {
  const says = await versionOf(context, path);
  if (!isVersion(says, version)) throw wrongVersion(path, says, version);
}

/** Cosmos SDK programs print the version to standard output or, in some releases, to standard error. */
async function versionOf(context: HostContext, path: string): Promise<string> {
  const { stdout, stderr } = await answer(context, [path, 'version'], { quiet: true, timeoutMs: 15_000 });
  return (stdout.trim() || stderr.trim()).split('\n').at(-1)?.slice(0, 100) ?? '';
}

/** Whole: 1.0.0 is not 11.0.0 and not 1.0.0-rc1. A leading v is no part of a version. */
function isVersion(says: string, wanted: string): boolean {
  const bare = (word: string) => word.replace(/^v(?=\d)/, '');
  return says.split(/[\s:,]+/).some((word) => bare(word) === bare(wanted));
}

function wrongVersion(path: string, says: string, wanted: string) {
  return actionError('SB-ACT-VERSION', `${path} says version ${says || 'nothing'}, not ${wanted}`);
}
