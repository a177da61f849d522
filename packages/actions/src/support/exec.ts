import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { ExecOptions, ExecResult, HostContext } from '@signalbox/protocol';
import { actionError } from '../codes.ts';

type Argv = readonly [string, ...string[]];

/**
 * Runs a program whose exit code is an answer. What is no answer throws: never started, ended by its time limit or by a
 * signal.
 */
export async function answer(context: HostContext, argv: Argv, options: ExecOptions = {}): Promise<ExecResult> {
  const result = await context.exec(argv, options);
  if (context.signal.aborted) throw actionError('SB-ACT-COMMAND-CUT', `${argv[0]} was stopped before it was done`);
  if (result.timedOut || result.signal !== undefined) {
    const why = result.timedOut ? 'did not end in time' : `was ended by ${result.signal}`;
    throw actionError('SB-ACT-COMMAND-CUT', `${argv[0]} ${why}`);
  }
  if (result.exitCode === undefined) {
    throw actionError('SB-ACT-PROGRAM-MISSING', `${argv[0]} cannot be started on ${context.host}`);
  }
  return result;
}

/** Runs a program that must exit with 0. @throws SB-ACT-COMMAND-FAILED with the last line of its error output. */
export async function succeed(context: HostContext, argv: Argv, options: ExecOptions = {}): Promise<ExecResult> {
  const result = await answer(context, argv, options);
  if (result.exitCode !== 0) {
    const said = lastLine(result.stderr) || lastLine(result.stdout);
    const words = argv.slice(0, 2).join(' ');
    throw actionError('SB-ACT-COMMAND-FAILED', `${words} exited with ${result.exitCode}${said && `: ${said}`}`);
  }
  return result;
}

/**
 * Whether a program could be started here: a path, or a name that is looked up as the host would. Synchronous, because a
 * handful of lookups in warm folders costs less than one trip to the thread pool.
 */
export function findProgram(context: HostContext, program: string): boolean {
  const folders = (context.path ?? process.env.PATH ?? '').split(delimiter);
  const candidates = isAbsolute(program) ? [program] : folders.map((folder) => join(folder, program));
  return candidates.some(executable);
}

export function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function lastLine(text: string): string {
  return (text.trimEnd().split('\n').at(-1) ?? '').slice(0, 300);
}
