import type { Applied, Direction, Effect, Failure, JsonObject, Outcome } from '@signalbox/protocol';

/** How an execution came to its end, before anybody asks what it means. */
export type End =
  | { type: 'returned'; receipt: JsonObject }
  | { type: 'threw'; failure: Failure }
  /** Stopped for its time or on request. `settled` is false when the action did not even let go of it. */
  | { type: 'stopped'; failure: Failure; settled: boolean };

/** A failure that leaves open whether it was done is never an answer: the action's probe is asked [I5]. */
export function needsProbe(end: End): end is Exclude<End, { type: 'returned' }> {
  return end.type === 'stopped' || (end.type === 'threw' && end.failure.class === 'unknown');
}

export interface Circumstances {
  /** What `undo` would need by now. */
  receipt: JsonObject;
  direction: Direction;
  effect: Effect;
  /** Asked where `needsProbe` says so. */
  probed: Applied | undefined;
}

/** What an end means. The only place where an outcome is decided. */
export function outcomeOf(end: End, { receipt, direction, effect, probed = 'cannot-tell' }: Circumstances): Outcome {
  if (end.type === 'returned') return { status: 'succeeded', receipt: { ...receipt, ...end.receipt } };
  const { failure } = end;
  if (!needsProbe(end)) return { status: 'failed', failure, receipt };
  if (probed === 'applied') return { status: 'succeeded', receipt, probed: true };
  if (probed === 'in-progress') return { status: 'unknown', failure, probed, receipt };
  if (end.type === 'stopped' && !end.settled) return { status: 'unknown', failure, probed, receipt };
  if (probed !== 'cannot-tell') return { status: 'failed', failure, receipt };
  // Its processes are gone. What can be taken back, or done again, is a plain failure; only what can be neither is not.
  const matters = end.type === 'threw' || (direction === 'do' && effect === 'irreversible');
  return matters ? { status: 'unknown', failure, probed, receipt } : { status: 'failed', failure, receipt };
}

/** After a crash of the agent or its host, only a clear yes counts; anything else is for the coordinator to decide [I5]. */
export function outcomeAfterCrash(
  probed: Applied,
  { receipt, failure }: { receipt: JsonObject; failure: Failure },
): Outcome {
  if (probed === 'applied') return { status: 'succeeded', receipt, probed: true };
  return { status: 'unknown', failure, probed, receipt };
}
