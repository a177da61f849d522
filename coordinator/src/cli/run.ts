import { type Command, CommanderError } from 'commander';
import { VERSION } from '../program-files.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { Io } from './io.ts';
import { buildProgram } from './program.ts';

/** One call of `signalbox`. What is heavy is loaded by the command that needs it. */
export async function runCli(argv: readonly string[], io: Io): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const program: Command = buildProgram({
    version: VERSION,
    output: {
      writeOut: (text) => io.out(text),
      // Its own words for a mistake are not written: every error of this program has one form.
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => Math.min(io.columns, 120),
    },
    go: async (work) => {
      const { Cli } = await import('./cli.ts');
      const cli = new Cli(io, program.opts());
      try {
        exit = await work(cli);
      } finally {
        await cli.close();
      }
    },
  });
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT.usage;
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    return await failed(error, io, argv.includes('--json'));
  }
}

async function failed(error: unknown, io: Io, json: boolean): Promise<ExitCode> {
  const { exitCodeOf, failureOf, renderFailure } = await import('./errors.ts');
  const { makePaint, wantsColour } = await import('./paint.ts');
  const failure = error instanceof CommanderError ? await usage(error) : failureOf(error);
  if (json) io.out(`${JSON.stringify({ error: failure })}\n`);
  const paint = makePaint(wantsColour(io.env, io.isTerminal));
  io.err(`${renderFailure(failure, paint).join('\n')}\n`);
  if (io.env.SIGNALBOX_DEBUG && error instanceof Error) io.err(`${error.stack ?? ''}\n`);
  return exitCodeOf(failure);
}

async function usage({ message }: CommanderError) {
  const { cliError } = await import('./codes.ts');
  return cliError('SB-CLI-USAGE', message.replace(/^error: /, '')).failure;
}
