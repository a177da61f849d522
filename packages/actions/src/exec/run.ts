import { Effect, type HostContext } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { answer, findProgram } from '../support/exec.ts';
import { HostPath } from '../support/files.ts';
import { VariableName } from '../support/variables.ts';

/** A program and its arguments, each as it is: no shell reads them, so nothing in them has a meaning of its own. */
const Argv = z.tuple([z.string().min(1)], z.string());

const With = z.strictObject({
  argv: Argv.describe('The program and its arguments, each as it is; no shell reads them.'),
  effect: Effect.describe('What running it does to the world; only the author of the runbook can know.'),
  cwd: HostPath.optional().describe('Folder to run in.'),
  env: z
    .record(VariableName, z.string())
    .optional()
    .describe('Added to the environment. No secrets: a plan is read by many.'),
  stdin: z.string().optional().describe('Given on standard input. No secrets.'),
  undo: z.strictObject({ argv: Argv }).optional().describe('Takes it back; wanted when effect is reversible.'),
  probe: z
    .strictObject({ argv: Argv })
    .optional()
    .describe('Asks whether it is done: exit 0 applied, 1 not applied, anything else cannot tell.'),
});
type With = z.infer<typeof With>;

export const execRun = defineAction<With>({
  name: 'exec.run',
  version: 1,
  summary: 'Runs a program by its argv. The author of the runbook states its effect, its way back and how to ask.',
  schema: With.refine(({ effect, undo }) => effect !== 'reversible' || undo, 'effect: reversible needs undo'),
  effect: ({ effect }) => effect,
  does: 'run {argv}',
  undoes: 'run {undo.argv}',
  byHand: '{undo.argv}',
  touches: [],
  receipt: { exitCode: 'always 0' },
  resumable: ['do', 'undo'],
  argvs: ({ argv, undo, probe }) => [argv, ...[undo, probe].flatMap((other) => (other ? [other.argv] : []))],

  async check(context, { argv, undo, probe }) {
    const programs = [argv, undo?.argv, probe?.argv].flatMap((words) => (words ? [words[0]] : []));
    const missing = [...new Set(programs)].filter((program) => !findProgram(context, program));
    const problems = missing.map((program) => actionError('SB-ACT-PROGRAM-MISSING', `no ${program} here`).failure);
    return { before: {}, problems };
  },

  async run(context, input) {
    await mustRun(context, input.argv, input);
    return { exitCode: 0 };
  },

  async undo(context, input) {
    if (!input.undo) throw actionError('SB-ACT-NO-RECEIPT', `no way back is stated for ${input.argv[0]}`);
    if ((await ask(context, input)) === 'not-applied') return { undone: false };
    await mustRun(context, input.undo.argv, input);
    return { undone: true };
  },

  async probe(context, input, { direction }) {
    const applied = await ask(context, input);
    if (direction === 'do' || applied === 'cannot-tell') return applied;
    return applied === 'applied' ? 'not-applied' : 'applied';
  },
});

type Words = With['argv'];

/** The message leaves the program's output out: it may hold what should not be logged, and it is in the step's output. */
async function mustRun(context: HostContext, argv: Words, { cwd, env, stdin }: With): Promise<void> {
  const options = { ...(cwd && { cwd }), ...(env && { env }), ...(stdin !== undefined && { stdin }) };
  const { exitCode } = await answer(context, argv, options);
  if (exitCode !== 0) throw actionError('SB-ACT-COMMAND-FAILED', `${argv[0]} exited with ${exitCode}`);
}

async function ask(context: HostContext, { probe, effect, cwd, env }: With) {
  // What changes nothing is safely run again.
  if (!probe) return effect === 'read' ? 'not-applied' : 'cannot-tell';
  const options = { ...(cwd && { cwd }), ...(env && { env }) };
  const { exitCode } = await answer(context, probe.argv, options);
  if (exitCode === 0) return 'applied';
  return exitCode === 1 ? 'not-applied' : 'cannot-tell';
}
