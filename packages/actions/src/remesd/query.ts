import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject, type Json } from '@signalbox/protocol';
import { parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { succeed } from '../support/exec.ts';
import { HostPath, sha256File, sha256IfThere, sha256Text, syncFolderOf } from '../support/files.ts';
import { HOME_AND_UNIT, homeProblems } from './home.ts';
import { asNode, programOf } from './program.ts';

const With = z.strictObject({
  ...HOME_AND_UNIT,
  query: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'a word of a subcommand'))
    .min(1)
    .describe('The words after `query`, as in [remes, task-pools].'),
  list: z.string().min(1).describe('The field of the answer that holds the list, as in `task_pools`.'),
  node: z
    .string()
    .regex(/^(tcp|http):\/\/[^/@\s]+$/, 'tcp://host:port')
    .describe('RPC of the node that is asked.'),
  file: HostPath.describe('The file with the answer; it must not exist.'),
});
type With = z.infer<typeof With>;

export const remesdQuery = defineAction<With>({
  name: 'remesd.query',
  version: 1,
  summary: 'Asks the chain and keeps the answer as a file of known shape; refused when the program has no such query.',
  schema: With,
  effect: 'reversible',
  does: 'query {query} to {file}',
  undoes: '{file} removed',
  touches: ['path:{file}'],
  receipt: { file: 'path', sha256: 'of the file', count: 'entries of the list' },

  async check(context, input) {
    const problems = await homeProblems(context, input);
    problems.push(...(await programOf(context, input.unit, ['query', ...input.query])).problems);
    if (await stat(input.file).catch(() => undefined)) {
      problems.push(actionError('SB-ACT-BACKUP-EXISTS', `${input.file} is there already`).failure);
    }
    const folder = await stat(dirname(input.file)).catch(() => undefined);
    if (!folder?.isDirectory())
      problems.push(actionError('SB-ACT-FILE', `${dirname(input.file)} is no folder`).failure);
    return { before: {}, problems };
  },

  async run(context, { home, unit, query, list, node, file }) {
    const { program = '' } = await programOf(context, unit, ['query', ...query]);
    const words = ['query', ...query, '--output', 'json', '--home', home, '--node', node];
    const { stdout } = await succeed(context, await asNode(home, [program, ...words]), {
      maxBytes: MAX_BYTES,
      quiet: true,
    });
    const count = countIn(stdout, list);
    await rm(`${file}.part`, { force: true });
    await writeFile(`${file}.part`, stdout, { flag: 'wx', mode: 0o600, flush: true });
    if ((await sha256File(`${file}.part`)) !== sha256Text(stdout))
      throw actionError('SB-ACT-EXPORT', `${file} was not written whole`);
    await rename(`${file}.part`, file);
    await syncFolderOf(file);
    return { file, sha256: await sha256File(file), count };
  },

  async undo(_context, { file }, { sha256 }) {
    const now = await sha256IfThere(file);
    if (now === undefined || typeof sha256 !== 'string') return { removed: false };
    if (now !== sha256) throw actionError('SB-ACT-CHANGED-MEANWHILE', `${file} is not what was written`);
    await rm(file);
    return { removed: true };
  },

  async probe(_context, { file }, { direction }) {
    const there = (await sha256IfThere(file)) !== undefined;
    return there === (direction === 'do') ? 'applied' : 'not-applied';
  },
});

const MAX_BYTES = 64 * 1024 * 1024;

/** An answer that was cut at the bound is no JSON any more. @throws SB-ACT-EXPORT */
function countIn(text: string, list: string): number {
  let answer: Json;
  try {
    answer = parseJson64(text);
  } catch (cause) {
    throw actionError('SB-ACT-EXPORT', 'the answer is no JSON', { cause });
  }
  const entries = isJsonObject(answer) ? answer[list] : undefined;
  if (Array.isArray(entries)) return entries.length;
  throw actionError('SB-ACT-EXPORT', `the answer has no list ${list}`);
}
