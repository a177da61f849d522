import { z } from 'zod';
import { HostName, RunId } from './names.ts';
import { wire } from './wire.ts';

/**
 * A piece of a step's live output. Unsigned: it is for reading along, nothing is decided by it. Secrets are replaced before
 * it leaves the host. `seq` is 0, 1, 2, ... within one command.
 */
export type OutputChunk = z.infer<typeof OutputChunk>;
export const OutputChunk = wire({
  run: RunId,
  step: z.string(),
  host: HostName,
  /** Attempts and directions of one step share a subject; the command tells them apart. */
  commandId: z.string(),
  seq: z.int().min(0),
  /** The host's clock, epoch milliseconds. */
  atMs: z.int(),
  text: z.string(),
  /** So many bytes were left out just before `text`. */
  gapBytes: z.int().min(1).optional(),
});
