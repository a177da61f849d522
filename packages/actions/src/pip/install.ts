import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import type { HostContext, JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { HostPath, own } from '../support/files.ts';
import { lookAtUnit, UnitName, unitProblems } from '../support/unit.ts';
import * as pip from './environment.ts';

const With = z.strictObject({
  venv: HostPath.describe('The virtual environment that the service runs from. pip runs as its owner.'),
  requirement: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?==[A-Za-z0-9][A-Za-z0-9.!+_-]*$/,
      'pinned, as in name==1.0.0',
    )
    .describe('Pinned, as in `name==1.0.0`.'),
  index: z
    .string()
    .regex(/^https?:\/\/[^/@\s]+(\/\S*)?$/, 'a URL without a password: argv and plans are read by many')
    .optional()
    .describe('Where packages come from, instead of what pip is configured with.'),
  findLinks: HostPath.optional().describe('A folder of packages; without `index`, nothing else is asked.'),
  unit: UnitName.optional().describe('When given, its program must be inside the environment.'),
});
type With = z.infer<typeof With>;

export const pipInstall = defineAction<With>({
  name: 'pip.install',
  version: 1,
  summary: 'Installs one pinned package; records the whole environment before, and undo restores exactly that.',
  schema: With,
  effect: 'reversible',
  does: 'install {requirement} into {venv}',
  undoes: 'packages of {venv} as they were',
  touches: ['path:{venv}'],
  receipt: { freeze: 'all packages before', installed: 'those that were not among them, after' },
  timeoutMs: 15 * 60_000,
  // Not undo: it looks at what is installed now, and that has changed since.
  resumable: ['do'],

  async check(context, input) {
    if (!pip.hasPip(input)) {
      const failure = actionError('SB-ACT-PROGRAM-MISSING', `${pip.pipOf(input)} cannot be executed`).failure;
      return { before: {}, note: 'no such environment', problems: [failure] };
    }
    const freeze = await pip.freeze(context, input);
    const name = pip.nameOf(input.requirement);
    const old = freeze.find((line) => pip.nameOf(line) === name)?.split('==')[1] ?? 'none';
    const note = `${name} ${old} -> ${input.requirement.split('==')[1]}`;
    return { before: { freeze }, note, problems: await unitRunsHere(context, input) };
  },

  async run(context, input, before) {
    await pip.install(context, input, [input.requirement]);
    await pip.requireConsistent(context, input);
    const freeze = await pip.freeze(context, input);
    if (!pip.holdsPin(freeze, input.requirement)) {
      throw actionError('SB-ACT-PIP-RESULT', `${input.requirement} is not in ${input.venv}`);
    }
    return { installed: without(freeze, frozen(before)) };
  },

  async undo(context, input, receipt) {
    const wanted = frozen(receipt);
    const now = await pip.freeze(context, input);
    if (same(now, wanted)) return { restored: false };
    const names = new Set(wanted.map(pip.nameOf));
    await pip.uninstall(
      context,
      input,
      now.map(pip.nameOf).filter((name) => name !== '' && !names.has(name)),
    );
    const back = wanted.filter((line) => !now.includes(line));
    if (back.length > 0) await installLines(context, input, back);
    const after = await pip.freeze(context, input);
    if (!same(after, wanted)) {
      const left = [...after.filter((l) => !wanted.includes(l)), ...wanted.filter((l) => !after.includes(l))];
      throw actionError('SB-ACT-PIP-RESULT', `${input.venv} is not as it was: ${left.join(', ').slice(0, 300)}`);
    }
    return { restored: true };
  },

  async loses(context, input, receipt) {
    // Where a crash was resolved nobody recorded what came; what was asked for is known.
    const installed = Array.isArray(receipt.installed) ? receipt.installed : [];
    const since = without(await pip.freeze(context, input), frozen(receipt));
    return since
      .filter((line) => !installed.includes(line) && !pip.holdsPin([line], input.requirement))
      .map((line) => `${line} was installed later`);
  },

  async probe(context, input, { direction, receipt }) {
    const [now, before] = [await pip.freeze(context, input), frozen(receipt)];
    if (same(now, before))
      return direction === 'undo' || pip.holdsPin(now, input.requirement) ? 'applied' : 'not-applied';
    if (!pip.holdsPin(now, input.requirement)) return 'partial';
    if (direction === 'undo') return 'not-applied';
    // The package is written last; what it needs may be half-way there.
    return pip.requireConsistent(context, input).then(
      () => 'applied' as const,
      () => 'partial' as const,
    );
  },
});

/** The lines go through a file: an argv has a length limit, and lines of a freeze may begin with an option. */
async function installLines(context: HostContext, input: With, lines: string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-pip-'));
  try {
    const file = join(folder, 'requirements.txt');
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    const owner = await stat(input.venv);
    for (const path of [file, folder]) await own(path, owner);
    await pip.install(context, input, ['--no-deps', '-r', file]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function unitRunsHere(context: HostContext, { unit, venv }: With) {
  if (unit === undefined) return [];
  const reading = await lookAtUnit(context, unit);
  const path = reading.exec?.path ?? '';
  const problems = unitProblems(unit, reading);
  if (problems.length === 0 && !path.startsWith(venv + sep)) {
    problems.push(actionError('SB-ACT-VENV-MISMATCH', `${unit} runs ${path || 'nothing'}, not from ${venv}`).failure);
  }
  return problems;
}

/** @throws SB-ACT-NO-RECEIPT */
function frozen({ freeze }: JsonObject): string[] {
  if (!Array.isArray(freeze)) throw actionError('SB-ACT-NO-RECEIPT', 'the packages before the step were not recorded');
  return freeze.filter((line) => typeof line === 'string');
}

const without = (lines: readonly string[], others: readonly string[]) => lines.filter((line) => !others.includes(line));

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, i) => line === b[i]);
}
