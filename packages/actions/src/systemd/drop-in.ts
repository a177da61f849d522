import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostContext } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { succeed } from '../support/exec.ts';
import { HostPath, sha256IfThere, sha256Text } from '../support/files.ts';
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

const With = z.strictObject({
  unit: UnitName.describe('With its suffix, as in `r3mes-miner.service`.'),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and dashes')
    .default('50-signalbox')
    .describe('Of the file, without `.conf`; drop-ins are read in the order of their names.'),
  environment: z
    .record(VariableName, z.string().regex(/^[^"\\%\r\n]*$/, 'plain text'))
    .default({})
    .describe('Variables by name. No secrets: everybody on the host may read a unit.'),
  environmentFile: HostPath.optional().describe(
    'A file that the unit reads further variables from; the place for secrets.',
  ),
  exec: z
    .array(z.string().regex(/^[^\s"'\\%$;]+$/, 'a plain word'))
    .min(1)
    .optional()
    .describe('Program and arguments in the place of those that the unit starts.'),
  folder: HostPath.default('/etc/systemd/system').describe('Where units of this host are kept by its administrator.'),
});
type With = z.infer<typeof With>;

export const systemdDropIn = defineAction<With>({
  name: 'systemd.dropIn',
  version: 1,
  summary:
    'Gives a unit variables, or another command line, by a drop-in, and has systemd read it; they reach the service when it is started anew.',
  schema: With.refine(
    ({ environment, environmentFile, exec }) => environmentFile || exec || Object.keys(environment).length > 0,
    'says nothing',
  ),
  effect: 'reversible',
  does: 'drop-in {name} for {unit}',
  undoes: 'the drop-in as it was, or none',
  byHand: `${PUT_BACK_BY_HAND} && systemctl daemon-reload`,
  touches: ['unit:{unit}'],
  receipt: { target: 'path of the drop-in', oldSha256: 'of an earlier one; null when there was none' },

  async check(context, input) {
    const target = fileOf(input);
    const newSha256 = sha256Text(textOf(input));
    const replacement = { target, newSha256, oldSha256: await sha256IfThere(target), kept: keptName(target, context) };
    const problems = unitProblems(input.unit, await lookAtUnit(context, input.unit));
    return { before: replacementReceipt(replacement), note: replacement.oldSha256 ? 'replaces one' : 'new', problems };
  },

  async run(context, input, before) {
    const replacement = readReplacement(before);
    await mkdir(dirname(replacement.target), { recursive: true, mode: 0o755 });
    const source = `${replacement.kept}.next`;
    try {
      await rm(source, { force: true });
      await writeFile(source, textOf(input), { flag: 'wx', mode: 0o644 });
      await replaceFile(context, replacement, { source, mode: 0o644 });
    } finally {
      await rm(source, { force: true });
    }
    await reload(context);
    await requireShown(context, input);
    return {};
  },

  async undo(context, _input, receipt) {
    if (Object.keys(receipt).length === 0) return { restored: false };
    const replacement = readReplacement(receipt);
    const restored = await putBack(replacement);
    // putBack sets a file aside that there was none of before; a drop-in set aside is no drop-in, its name has no .conf.
    await reload(context);
    return { restored };
  },

  async probe(context, input, { direction, receipt }) {
    const applied = await probeReplacement(readReplacement(receipt), direction);
    if (applied !== 'applied' || direction === 'undo') return applied;
    // Written is not read: a crash between the two leaves systemd with what it knew before.
    return requireShown(context, input).then(
      () => 'applied' as const,
      () => 'partial' as const,
    );
  },
});

const fileOf = ({ folder, unit, name }: With) => join(folder, `${unit}.d`, `${name}.conf`);

function textOf({ environment, environmentFile, exec }: With): string {
  const variables = Object.entries(environment).map(([name, value]) => `Environment="${name}=${value}"`);
  const file = environmentFile ? [`EnvironmentFile=${environmentFile}`] : [];
  // The empty line takes back what the unit says: a service has one program.
  const program = exec ? ['ExecStart=', `ExecStart=${exec.join(' ')}`] : [];
  return ['[Service]', ...file, ...variables, ...program, ''].join('\n');
}

async function reload(context: HostContext): Promise<void> {
  await succeed(context, ['systemctl', 'daemon-reload'], { quiet: true });
}

async function requireShown(context: HostContext, { unit, environment, exec }: With): Promise<void> {
  const { environment: shown, exec: starts } = await lookAtUnit(context, unit);
  if (exec && starts?.argv.join(' ') !== exec.join(' ')) {
    throw actionError('SB-ACT-DROP-IN', `systemd does not show that ${unit} starts what the drop-in says`);
  }
  const missing = Object.entries(environment).filter(([name, value]) => shown[name] !== value);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name).join(', ');
  throw actionError('SB-ACT-DROP-IN', `systemd does not show ${names} for ${unit} as the drop-in says`);
}
