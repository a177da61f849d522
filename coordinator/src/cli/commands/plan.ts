import { resolve } from 'node:path';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { writePrivate } from '../files.ts';
import type { Problem } from '../live-look.ts';
import { type MadePlan, type PlanWishes, planFile } from '../planning.ts';
import { safeText } from '../safe-text.ts';

export interface PlanOptions extends PlanWishes {
  readonly out?: string;
  readonly format?: 'text' | 'md' | 'json';
  readonly byHand?: boolean;
}

/** `signalbox plan FILE`: screen 1, and the file that is reviewed, signed and started. */
export async function plan(cli: Cli, file: string, options: PlanOptions): Promise<ExitCode> {
  const client = await cli.mesh();
  const made = await planFile(cli, client, file, options);
  await showPlan(cli, made, options);
  if (made.problems.length > 0) {
    throw cliError(
      'SB-CLI-HOST-PROBLEMS',
      `${made.problems.length} of the steps cannot be done on their hosts as they are now`,
      {
        details: { problems: made.problems.map(({ step, host, failure }) => ({ step, host, code: failure.code })) },
      },
    );
  }
  if (options.out !== undefined) {
    const path = resolve(cli.io.cwd, options.out);
    writePrivate(path, made.text);
    if (!cli.json)
      cli.print('', `written to ${options.out}   sha256 ${made.hash}`, `start it with: signalbox start ${options.out}`);
  }
  return EXIT.done;
}

async function showPlan(cli: Cli, { plan, text, hash, problems }: MadePlan, options: PlanOptions): Promise<void> {
  if (cli.json) {
    cli.printJson({ hash, plan, problems });
    return;
  }
  if (options.format === 'json') {
    cli.io.out(text);
    return;
  }
  const { renderByHand, renderPlan } = await import('@signalbox/runbook');
  const shown = options.byHand
    ? renderByHand(plan)
    : renderPlan(plan, {
        format: options.format ?? 'text',
        hash,
        ...(cli.io.isTerminal ? { width: cli.io.columns } : {}),
      });
  cli.print(...shown.trimEnd().split('\n'));
  cli.print(...problemLines(problems));
}

export function problemLines(problems: readonly Problem[]): string[] {
  if (problems.length === 0) return [];
  const lines = problems.flatMap(({ step, host, failure }) => [
    `  ${step} on ${host}: ${safeText(failure.message)} [${failure.code}]`,
    `    ${safeText(failure.next)}`,
  ]);
  return ['', 'the hosts say:', ...lines];
}
