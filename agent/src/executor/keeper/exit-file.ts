import { closeSync, constants, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import type { ProcessGroup } from '../../ports.ts';
import { type Exit, readExit, recordOf, textOf } from './wire.ts';

/** Every exit fits, so that what is written at the end needs no room on the disk that was not there at the start. */
const BYTES = 512;
const REASON_CHARS = 300;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * The exit of a process on disk, for an agent that comes back later. It is prepared before the process starts: then a full
 * disk is found out while nothing has been done, and not when the only one who knows the exit must write it down.
 */
export interface PreparedExit {
  /** The exit is there as a whole or not at all. */
  write(exit: Exit): void;
}

const pathsOf = (files: string) => ({ path: `${files}.exit`, beside: `${files}.exit.new` });

/** @throws the system's error, when there is no room or the files were used before. */
export function prepareExit(files: string, keeper: ProcessGroup): PreparedExit {
  const { path, beside } = pathsOf(files);
  const fd = openSync(beside, CREATE, 0o600);
  writeSync(fd, padded({ keeper }));
  return {
    write(exit) {
      writeSync(fd, padded({ keeper, exit }), 0);
      closeSync(fd);
      renameSync(beside, path);
    },
  };
}

/** What the disk says of a process: its exit, or who was to write it; undefined when nobody was about to start it. */
export function findExit(files: string): { exit: Exit } | { keeper: ProcessGroup } | undefined {
  const { path, beside } = pathsOf(files);
  const ended = read(path) ?? read(beside) ?? read(path);
  if (ended?.exit !== undefined) return { exit: ended.exit };
  return ended && { keeper: ended.keeper };
}

function read(path: string): { keeper: ProcessGroup; exit: Exit | undefined } | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
  try {
    const { keeper, exit } = recordOf(JSON.parse(text));
    const { pid, startTicks } = recordOf(keeper);
    return {
      keeper: { pid: Number(pid), startTicks: textOf(startTicks) },
      exit: exit === undefined ? undefined : readExit(exit),
    };
  } catch {
    return undefined;
  }
}

function padded({ keeper, exit }: { keeper: ProcessGroup; exit?: Exit }): string {
  const short = exit !== undefined && 'reason' in exit ? { ...exit, reason: exit.reason.slice(0, REASON_CHARS) } : exit;
  return `${JSON.stringify({ keeper, exit: short })}\n`.padEnd(BYTES);
}
