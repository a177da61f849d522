import { readFile, rm, writeFile } from 'node:fs/promises';
import { type Failure, type HostContext, SecretRef } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, lookAtFile, sha256IfThere, sha256Text } from '../support/files.ts';
import {
  keptName,
  PUT_BACK_BY_HAND,
  probeReplacement,
  putBack,
  readReplacement,
  replaceFile,
  replacementReceipt,
} from '../support/replace.ts';
import { lookAtUnit, UnitName, unitProblems } from '../support/unit.ts';
import { VariableName } from '../support/variables.ts';
import { applyEdits, changesOf } from './edit.ts';
import { type EnvLine, parseEnv, renderEnv, valueIn } from './parse.ts';

const Name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name such as DATABASE_URL');

const With = z.strictObject({
  file: HostPath.describe('The environment file; it must exist. Read as data, never sourced.'),
  rename: z
    .array(z.strictObject({ from: Name, to: VariableName }))
    .default([])
    .describe('Old and new names; a name that is not in the file is passed over.'),
  set: z
    .array(z.strictObject({ name: VariableName, value: z.string() }))
    .default([])
    .describe('Values that are no secrets: a plan is read by many.'),
  secrets: z
    .record(VariableName, SecretRef)
    .default({})
    .describe('By name, where the value is to be had on this host.'),
  remove: z.array(Name).default([]).describe('Names whose lines go.'),
  unit: UnitName.optional().describe('When given: this unit must not get an old name from somewhere else.'),
});
type With = z.infer<typeof With>;

export const envChange = defineAction<With>({
  name: 'env.change',
  version: 1,
  summary:
    'Renames, sets and removes variables of an environment file, read as data; nothing blank, nothing lost, mode 0600.',
  schema: With,
  effect: 'reversible',
  does: 'change {file}',
  undoes: 'old {file} back',
  byHand: PUT_BACK_BY_HAND,
  touches: ['path:{file}'],
  secrets: ['secrets'],
  receipt: {
    changes: 'names that are new (+), gone (-) or have another value (~)',
    target: 'path',
    kept: 'where the old file lies',
  },

  async check(context, input) {
    const { before, after } = await edited(context, input);
    const changes = changesOf(before, after);
    const kept = keptName(input.file, context);
    const newSha256 = sha256Text(renderEnv(after));
    const replacement = { target: input.file, newSha256, oldSha256: await sha256IfThere(input.file), kept };
    const note = changes.join(' ') || 'as it shall be already';
    const problems = await elsewhere(context, input, before);
    return { before: { ...replacementReceipt(replacement), changes }, note, problems };
  },

  async run(context, input, before) {
    const replacement = readReplacement(before);
    const { after } = await edited(context, input);
    const source = `${replacement.kept}.next`;
    try {
      await rm(source, { force: true });
      await writeFile(source, renderEnv(after), { flag: 'wx', mode: 0o600 });
      await replaceFile(context, replacement, { source, mode: 0o600 });
    } finally {
      await rm(source, { force: true });
    }
    return { kept: replacement.kept };
  },

  async undo(_context, _input, receipt) {
    if (Object.keys(receipt).length === 0) return { restored: false };
    return { restored: await putBack(readReplacement(receipt)) };
  },

  async probe(_context, _input, { direction, receipt }) {
    return probeReplacement(readReplacement(receipt), direction);
  },
});

async function edited(context: HostContext, input: With): Promise<{ before: EnvLine[]; after: EnvLine[] }> {
  const { file, rename, set, secrets, remove } = input;
  if (!(await lookAtFile(file))) throw actionError('SB-ACT-SOURCE-MISSING', `${file} is not there`);
  const values = new Map(set.map(({ name, value }) => [name, value]));
  for (const [name, ref] of Object.entries(secrets)) values.set(name, await context.secret(ref));
  const before = parseEnv(await readFile(file, 'utf8'), file);
  return { before, after: applyEdits(before, { rename, set: values, remove }) };
}

/** Old names that the unit has and the file does not: renaming the file's would leave the service with those [T11]. */
async function elsewhere(context: HostContext, { unit, rename, file }: With, lines: EnvLine[]): Promise<Failure[]> {
  if (unit === undefined) return [];
  const reading = await lookAtUnit(context, unit);
  const problems = unitProblems(unit, reading);
  if (problems.length > 0) return problems;
  const own = await readFile(`/proc/${reading.mainPid}/environ`, 'utf8').catch(() => '');
  const names = new Set([
    ...Object.keys(reading.environment),
    ...own.split('\0').map((pair) => pair.split('=')[0] ?? ''),
  ]);
  const strays = rename.filter(({ from }) => names.has(from) && valueIn(lines, from) === undefined);
  return strays.map(
    ({ from }) => actionError('SB-ACT-ENV-ELSEWHERE', `${unit} has ${from}, and not from ${file}`).failure,
  );
}
