import { z } from 'zod';
import { JsonObject } from './json.ts';
import { wire } from './wire.ts';

/**
 * What an action does to the world if it runs: `read` changes nothing; `reversible` has an undo; `idempotent` may be run
 * again with the same result but is not taken back; `irreversible` is neither.
 */
export type Effect = z.infer<typeof Effect>;
export const Effect = z.enum(['read', 'reversible', 'idempotent', 'irreversible']);

/**
 * An action as data: what a runbook may say about it and what interlocking must know. Agents publish theirs; the
 * built-in set is known to `signalbox check` offline. Templates carry `{field}` of the action's parameters.
 */
export type ActionSpec = z.infer<typeof ActionSpec>;
export const ActionSpec = wire({
  name: z.string(),
  version: z.int().min(1),
  summary: z.string(),
  /** `declared`: the runbook's author states it in `with.effect` (and `with.undo`, `with.probe`). */
  effect: z.union([Effect, z.literal('declared')]),
  /** JSON Schema of `with`. */
  input: JsonObject,
  /** Resource ids, `unit:{unit}`; two runs that touch the same one wait for each other. */
  touches: z.array(z.string()),
  /** What a person reads in a plan: `stop {unit}`; `undoes` is absent when there is no way back. */
  does: z.string(),
  undoes: z.string().optional(),
  /** The command line that takes it back without Signalbox; see `commandByHand`. */
  byHand: z.string().optional(),
  /** What undo leaves behind: copied data, backup folders. */
  leaves: z.string().optional(),
  /** Template of the unit that `run` brings up / takes down (its undo does the reverse): what `exclusive` watches. */
  starts: z.string().optional(),
  stops: z.string().optional(),
  /** Fields of `with` that take a secret reference. */
  secrets: z.array(z.string()).default([]),
  /** Fields of a receipt: what `\${steps.x.receipt.field}` may name. */
  receipt: z.record(z.string(), z.string()).default({}),
  /** Default bound on one execution. */
  timeoutMs: z.int().optional(),
});

export type ValueSpec = z.infer<typeof ValueSpec>;
export const ValueSpec = wire({
  type: z.enum(['string', 'number', 'boolean', 'object']),
  unit: z.string().optional(),
  help: z.string(),
});

export type ProbeSpec = z.infer<typeof ProbeSpec>;
export const ProbeSpec = wire({
  name: z.string(),
  version: z.int().min(1),
  summary: z.string(),
  input: JsonObject,
  /** Named, typed values that a sample has. A value may be absent from a sample. */
  values: z.record(z.string(), ValueSpec),
  /** True when the values' names depend on what is measured (`http.get` of any JSON). */
  open: z.boolean().default(false),
  /** How often the value can change at its source; samples closer together are not independent. */
  refreshesMs: z.int().optional(),
  secrets: z.array(z.string()).default([]),
});

export type Catalogue = z.infer<typeof Catalogue>;
export const Catalogue = wire({ actions: z.array(ActionSpec), probes: z.array(ProbeSpec) });
