import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { z } from 'zod';
import type { Progress } from './output.ts';

const Place = z.object({
  seq: z.int(),
  over: z.boolean(),
  chars: z.record(z.string(), z.int()),
  last: z.array(
    z.object({ seq: z.int(), stream: z.string(), from: z.int(), to: z.int(), gapBytes: z.int().optional() }),
  ),
});
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;

/**
 * How far the output of an execution has been published. Written over and over in place, in one call: it must survive the
 * agent, not the host. Made by the first piece, because most processes print nothing.
 */
export function openProgress(path: string): { remember: (progress: Progress) => void; close: () => void } {
  let fd: number | undefined;
  let bytes = 0;
  return {
    remember(progress) {
      fd ??= openSync(path, FLAGS, 0o600);
      const data = Buffer.from(JSON.stringify(progress).padEnd(bytes));
      bytes = data.length;
      writeSync(fd, data, 0, data.length, 0);
    },
    close() {
      if (fd !== undefined) closeSync(fd);
    },
  };
}

/** Undefined when nothing was published. */
export function readProgress(path: string): Progress | undefined {
  try {
    const { last, ...progress } = Place.parse(JSON.parse(readFileSync(path, 'utf8')));
    return {
      ...progress,
      last: last.map(({ gapBytes, ...piece }) => ({ ...piece, ...(gapBytes !== undefined && { gapBytes }) })),
    };
  } catch {
    return undefined;
  }
}
