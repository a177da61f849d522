import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { hostPaths } from '../paths.ts';

/** An execution as the host itself saw it, whatever any log says. */
export interface Mark {
  program: string;
  argv: string[];
  pid: number;
  atMs: number;
  /** False for a look that changed nothing; those are marked only when an agent's command made them. */
  mutates: boolean;
  /** The command in whose name an agent started this process (`SIGNALBOX_COMMAND_ID`). */
  commandId?: string;
}

/**
 * One line, one write: appends of this size do not mix, so marks of processes that run at once stay whole.
 * Called before the work begins: a process that is killed half-way has still been there.
 */
export function leaveMark(root: string, mutates: boolean, argv: readonly string[] = process.argv.slice(2)): void {
  const commandId = process.env.SIGNALBOX_COMMAND_ID;
  if (!mutates && commandId === undefined) return;
  const mark: Mark = {
    program: basename(process.argv[1] ?? ''),
    argv: [...argv],
    pid: process.pid,
    atMs: Date.now(),
    mutates,
    ...(commandId === undefined ? {} : { commandId }),
  };
  appendFileSync(hostPaths(root).labMarks, `${JSON.stringify(mark)}\n`);
}
