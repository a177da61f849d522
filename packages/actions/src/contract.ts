import type { Applied, CheckResult, Direction, Effect, Failure, HostContext, JsonObject } from '@signalbox/protocol';
import type { z } from 'zod';

/** What an action's `check` returns before the agent adds the problems that it finds itself. */
export type Checked = CheckResult;

/** When this host began with what a probe is asked about. */
export interface Begun {
  readonly atMs: number;
  /** CLOCK_MONOTONIC; absent when it was in an earlier boot. */
  readonly monotonicMs?: number;
}

/** What a probe is asked about. */
export interface Asked {
  readonly direction: Direction;
  readonly receipt: JsonObject;
  /** Tells what was brought about then from what was there before. Absent: nobody knows. */
  readonly begun?: Begun;
}

/**
 * Something that can be done to a host. One folder a tool; small enough to be read in one go.
 *
 * `check` changes nothing and captures the before-receipt: what `undo` will need. `run` returns what is added to it. Names
 * that an execution makes for itself (a backup's folder, the old file's new name) stand under `own` in the receipt: they
 * are no fact of the host, so drift between a plan and its start leaves `own` out.
 * `undo` is idempotent, takes partial state and looks first: it must be right after a `run` that was never started, that
 * stopped half-way, or that was done. `probe` says after a crash which of them it was.
 * All of them throw SignalboxError with a code of ACTION_CODES.
 */
export interface Action<With extends object = JsonObject> {
  readonly name: string;
  readonly version: number;
  readonly summary: string;
  readonly schema: z.ZodType<With>;
  readonly effect: Effect | ((input: With) => Effect);
  /** Templates with `{field}` of `with`; see ActionSpec. */
  readonly does: string;
  readonly undoes?: string;
  /**
   * What a person types on the host to take it back, when `undo` could not: for `commandByHand`, which also knows
   * `{receipt.field}` and `[--option={field} ]`. Only where one command line does it and the receipt names all that it needs.
   */
  readonly byHand?: string;
  readonly leaves?: string;
  readonly touches: readonly string[];
  readonly starts?: string;
  readonly stops?: string;
  readonly secrets?: readonly string[];
  readonly receipt?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /**
   * Directions in which everything that is done to the host goes through `context.exec`, and which processes are started,
   * in which order, follows from `with`, the receipt and what earlier processes returned. When the agent was restarted in
   * the middle, such a function is called again and given what came of the processes that it had started: they are not
   * started twice. Quiet processes are no part of this: they are run again, and must only ask.
   */
  readonly resumable?: readonly Direction[];

  /** Programs with their arguments that the runbook's author wrote: a host's policy on commands is held against them. */
  argvs?(input: With): readonly (readonly string[])[];
  /** Another action that this one does: the host's policy must allow that as well. */
  standsFor?(input: With): { readonly action: string; readonly with: JsonObject; readonly receipt: JsonObject };

  check(context: HostContext, input: With): Promise<Checked>;
  run(context: HostContext, input: With, before: JsonObject): Promise<JsonObject>;
  undo?(context: HostContext, input: With, receipt: JsonObject): Promise<JsonObject>;
  /**
   * What taking it back now would destroy that was made after it: for an undo days later. Each entry is for a person.
   * Absent where an undo destroys nothing.
   */
  loses?(context: HostContext, input: With, receipt: JsonObject): Promise<string[]>;
  /**
   * What would make `undo` fail as things are now, and what nobody's word changes: for an undo days later, which is then not
   * begun. Absent where only the moment itself can tell.
   */
  hinders?(context: HostContext, input: With, receipt: JsonObject): Promise<Failure[]>;
  probe(context: HostContext, input: With, asked: Asked): Promise<Applied>;
}

/** Keeps the type of `with` inside one action; outside, all actions look alike. */
export function defineAction<With extends object>(action: Action<With>): Action {
  return action as unknown as Action;
}
