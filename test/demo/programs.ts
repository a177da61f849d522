import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository: this file is `test/demo/programs.ts` there, or `test/dist/demo/programs.js` when it was built. */
const HERE = dirname(fileURLToPath(import.meta.url));
export const REPOSITORY = HERE.endsWith(join('dist', 'demo')) ? join(HERE, '..', '..', '..') : join(HERE, '..', '..');

export const PROGRAMS = {
  signalbox: join(REPOSITORY, 'coordinator', 'dist', 'main.js'),
  agent: join(REPOSITORY, 'agent', 'dist', 'main.js'),
};
export const RUNBOOK = join(REPOSITORY, 'runbooks', 'r3mes', 'node-upgrade.yaml');

/**
 * Starts a daemon as an operating-system process of its own, in its own group: a Ctrl-C in the terminal reaches the demo
 * alone, which then ends its processes in order.
 */
export function startDaemon(program: string, args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'a');
  return spawn(process.execPath, [program, ...args], { detached: true, stdio: ['ignore', log, log] });
}
