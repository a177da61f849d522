import { z } from 'zod';
import { HostName } from './names.ts';
import { Actor } from './run-event.ts';
import { wire } from './wire.ts';

/**
 * Where a coordinator keeps what it was asked, apart by how many there may be: `asked` by people it knows, for something
 * that changes things; `looked`, for something that does not; `unproven`, by nobody it knows. Neither crowds out another.
 */
export type AuditLane = z.infer<typeof AuditLane>;
export const AuditLane = z.enum(['asked', 'looked', 'unproven']);

/** One request, granted or refused, as the coordinator that answered it has written it down and sealed it. */
export type AuditEntry = z.infer<typeof AuditEntry>;
export const AuditEntry = wire({
  coordinator: HostName,
  lane: AuditLane,
  /** From 0, in this lane of this coordinator. */
  index: z.int().min(0),
  /** SHA-256 of the entry before, as it is stored; empty: this is the first. */
  previous: z.string(),
  atMs: z.int(),
  verb: z.string(),
  run: z.string().optional(),
  host: z.string().optional(),
  /** Absent: nobody known has signed it. */
  by: Actor.optional(),
  granted: z.boolean(),
  code: z.string().optional(),
  message: z.string().optional(),
  /** SHA-256 of the request as it came. */
  request: z.string(),
  /** So many before this one came faster than they could be written, and are not on record. */
  unwritten: z.int().min(1).optional(),
});
