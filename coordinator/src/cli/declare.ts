import type { Command } from 'commander';
import type { Cli } from './cli.ts';
import type { ExitCode } from './exit-codes.ts';

/** Runs a command's work with what it needs and keeps its exit code. The work is loaded when it is called for. */
export type Go = (work: (cli: Cli) => Promise<ExitCode>) => Promise<void>;

/** Adds a family of commands. */
export type Declare = (program: Command, go: Go) => void;

/** Every command's help ends with at least one line that can be copied. */
export function example(...lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;
}

/** RUN of a command that only reads. */
export const READ_RUN = 'run id; left out: the one active run';
/** RUN of a command that changes something: never guessed. */
export const RUN = 'run id, such as mongodb-cutover-3';
export const STEP = "step of the run; quote items: 'writers-stopped[svc]'";
export const NOTE = 'why, for the log';
