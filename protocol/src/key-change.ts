import { z } from 'zod';
import { Critical } from './envelope.ts';
import { Failure } from './failure.ts';
import { HostName, MeshName } from './names.ts';
import { wire } from './wire.ts';

/**
 * Replaces the key of a host while it works. `make`: the host makes the next one and proves it by signing with both. `use`: from
 * then on it signs with the next one and beside it with the one before, so that whoever knows either believes it.
 * `forget`: with the next one alone. Each may be said again.
 */
export type KeyQuery = z.infer<typeof KeyQuery>;
export const KeyQuery = wire({
  mesh: MeshName,
  host: HostName,
  nonce: z.string(),
  step: z.enum(['make', 'use', 'forget']),
  /** The one that is meant; not with `make`. */
  key: z.string().optional(),
  critical: Critical,
});
export type KeyStep = KeyQuery['step'];

export type KeyAnswer = z.infer<typeof KeyAnswer>;
export const KeyAnswer = z.discriminatedUnion('type', [
  wire({ type: z.literal('key'), nonce: z.string(), host: HostName, key: z.string() }),
  wire({ type: z.literal('failed'), nonce: z.string(), host: HostName, failure: Failure }),
]);
