import type { HostContext } from '@signalbox/protocol';
import { asOwner } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { answer } from '../support/exec.ts';
import { lookAtUnit, unitProblems } from '../support/unit.ts';

/**
 * Whether a Cobra program has a subcommand. Asked for the help of one that it does not have, it prints its own help and
 * exits with 0, so what counts is the usage line that it prints [T07, T08].
 */
export async function hasSubcommand(context: HostContext, program: string, words: readonly string[]): Promise<boolean> {
  const { stdout, stderr } = await answer(context, [program, ...words, '--help'], { quiet: true, timeoutMs: 15_000 });
  const [, usage = ''] = /Usage:\n([\s\S]*?)(?:\n\n|$)/.exec(`${stdout}\n${stderr}`) ?? [];
  const lines = usage.split('\n').map((line) => line.trim().split(/\s+/).slice(1));
  return lines.some((line) => words.every((word, i) => line[i] === word));
}

/** The program that a unit starts, with what a plan has to say about it; masked units do not tell. */
export async function programOf(context: HostContext, unit: string, words: readonly string[]) {
  const reading = await lookAtUnit(context, unit);
  const problems = unitProblems(unit, reading);
  const program = reading.exec?.path;
  if (problems.length > 0) return { problems };
  if (program === undefined) {
    const code = reading.loadState === 'masked' ? 'SB-ACT-UNIT-MASKED' : 'SB-ACT-UNIT-MISSING';
    return { problems: [actionError(code, `systemd does not say what ${unit} starts`).failure] };
  }
  if (await hasSubcommand(context, program, words)) return { program, problems };
  const missing = actionError('SB-ACT-SUBCOMMAND-MISSING', `${program} has no subcommand \`${words.join(' ')}\``);
  return { program, problems: [missing.failure] };
}

/** As the owner of the home: what root leaves in it, the node could not open any more. */
export function asNode(home: string, argv: readonly [string, ...string[]]) {
  return asOwner(home, argv);
}
