import { readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject, SignalboxError } from '@signalbox/protocol';
import { parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { succeed } from '../support/exec.ts';
import { copyDurably, HostPath, sha256File, sha256IfThere, syncFolderOf } from '../support/files.ts';
import { requireIdle } from '../support/in-use.ts';
import { requireStopped } from '../support/unit.ts';
import { dataOf, dataProblems, HOME_AND_UNIT, homeProblems } from './home.ts';
import { asNode, programOf } from './program.ts';

const With = z.strictObject({
  ...HOME_AND_UNIT,
  file: HostPath.describe('The file with the state; it must not exist.'),
});
type With = z.infer<typeof With>;

export const remesdExport = defineAction<With>({
  name: 'remesd.export',
  version: 1,
  summary:
    "Exports a stopped node's state into a file and proves that it is one: JSON with a chain, a height and an application.",
  schema: With,
  effect: 'reversible',
  does: 'export the state of {home} to {file}',
  undoes: '{file} removed',
  touches: ['path:{home}'],
  receipt: {
    file: 'path',
    sha256: 'of the file',
    bytes: 'its size',
    chainId: 'in it',
    height: 'the first height after it',
  },
  timeoutMs: 60 * 60_000,

  async check(context, input) {
    const problems = [...(await homeProblems(context, input)), ...(await dataProblems(input.home))];
    const { program, problems: more } = await programOf(context, input.unit, ['export']);
    problems.push(...more);
    if (await stat(input.file).catch(() => undefined)) {
      problems.push(actionError('SB-ACT-BACKUP-EXISTS', `${input.file} is there already`).failure);
    }
    const folder = await stat(dirname(input.file)).catch(() => undefined);
    if (!folder?.isDirectory())
      problems.push(actionError('SB-ACT-FILE', `${dirname(input.file)} is no folder`).failure);
    return { before: {}, note: program ?? 'unknown program', problems };
  },

  async run(context, input) {
    const { home, unit, file } = input;
    const { program, problems } = await programOf(context, unit, ['export']);
    const [problem] = [...(await homeProblems(context, input)), ...problems];
    if (problem) throw new SignalboxError(problem);
    await requireStopped(context, unit);
    await requireIdle(dataOf(home));
    // Written by the node's own user, so where that one may write; and by an option, because start-up speaks on standard output [T02].
    const part = join(home, `export-${context.executionId}.json`);
    try {
      await rm(part, { force: true });
      const argv = [program ?? '', 'export', '--home', home, '--output-document', part] as const;
      await succeed(context, await asNode(home, argv));
      const { chainId, height } = await requireState(part);
      await rm(`${file}.part`, { force: true });
      await copyDurably(part, `${file}.part`, {
        mode: 0o600,
        uid: process.geteuid?.() ?? 0,
        gid: process.getegid?.() ?? 0,
      });
      await rename(`${file}.part`, file);
      await syncFolderOf(file);
      return { file, sha256: await sha256File(file), bytes: (await stat(file)).size, chainId, height };
    } finally {
      await rm(part, { force: true });
    }
  },

  async undo(_context, { file }, { sha256 }) {
    const now = await sha256IfThere(file);
    if (now === undefined || typeof sha256 !== 'string') return { removed: false };
    if (now !== sha256) throw actionError('SB-ACT-CHANGED-MEANWHILE', `${file} is not what was exported`);
    await rm(file);
    return { removed: true };
  },

  async probe(_context, { file }, { direction }) {
    const there = (await sha256IfThere(file)) !== undefined;
    return there === (direction === 'do') ? 'applied' : 'not-applied';
  },
});

/** @throws SB-ACT-EXPORT */
async function requireState(file: string): Promise<{ chainId: string; height: JsonObject[string] }> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const wrong = (why: string) => actionError('SB-ACT-EXPORT', `the exported state ${why}`);
  let state: JsonObject[string];
  try {
    state = parseJson64(text);
  } catch (cause) {
    throw actionError('SB-ACT-EXPORT', 'the exported state is no JSON', { cause });
  }
  if (!isJsonObject(state)) throw wrong('is no object');
  const { chain_id: chainId, initial_height: height, app_state: app } = state;
  if (typeof chainId !== 'string' || chainId === '') throw wrong('names no chain');
  if (!isJsonObject(app) || Object.keys(app).length === 0) throw wrong('has no app_state');
  if (!(Number(height) > 0) || height === undefined) throw wrong('has no height');
  return { chainId, height };
}
