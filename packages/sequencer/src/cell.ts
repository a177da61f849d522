import type {
  Actor,
  Applied,
  Direction,
  Failure,
  Json,
  JsonObject,
  SignedApproval,
  Via,
  Work,
} from '@signalbox/protocol';

/** State of one step on one host. The transitions between phases are the table in transitions.ts. */
export type Phase =
  | 'pending'
  | 'gated'
  | 'dispatched'
  | 'succeeded'
  | 'failed'
  | 'unknown'
  | 'compensating'
  | 'compensated'
  | 'skipped'
  | 'dropped';

export interface Approval {
  readonly by: Actor;
  readonly atMs: number;
  readonly runMs: number;
  readonly note: string | undefined;
  /** That person's own word, for hosts. */
  readonly signed: SignedApproval | undefined;
}

/** One step instance on one host: what the log says of it. */
export interface Cell {
  readonly key: string;
  readonly step: string;
  readonly host: string | null;
  readonly phase: Phase;
  /** The way it was last sent on. */
  readonly direction: Direction;
  /** Attempts made so far, each way. */
  readonly attempts: Readonly<Record<Direction, number>>;
  readonly work: Work | undefined;
  /** The agent has the intent of the present command on disk. */
  readonly accepted: boolean;
  /** Started on the way forward and not proven to have done nothing: undo has to look at it [I4]. */
  readonly applied: boolean;
  /** What `applied` was before the present try: what it is again when that try is proven to have done nothing. */
  readonly appliedBefore: boolean;
  /** Run time of the first try that is not proven to have done nothing: since then the step has had its effect. */
  readonly effectSinceRunMs: number | undefined;
  readonly before: JsonObject | undefined;
  readonly receipt: JsonObject | undefined;
  readonly values: Readonly<Record<string, Json>> | undefined;
  /** What its host said of `before`, `receipt` and `values`, as it signed it; kept where another step takes them over. */
  readonly sealed: readonly string[] | undefined;
  readonly failure: Failure | undefined;
  readonly probed: Applied | undefined;
  readonly via: Via | undefined;
  readonly startedAtMs: number | undefined;
  readonly startedRunMs: number | undefined;
  /** Start of what the try asks for now: later than the try's own when a proof or an approval came before it. */
  readonly workSinceRunMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly endedRunMs: number | undefined;
  readonly durationMs: number | undefined;
  /** A retry waits until then. */
  readonly notBeforeRunMs: number | undefined;
  readonly approvals: readonly Approval[];
  /** For a fence: the last break, until it was met again. */
  readonly broken: string | undefined;
  /** The break is that nobody could look; `values` are those of the last sample. */
  readonly unseen: true | undefined;
  readonly skippedBecause: string | undefined;
  /** Tries whose end has been reported, `do1`, `undo2`: reports come at least once. */
  readonly settled: readonly string[];
  /** Tries that ended without a report, by an operator's word or because they were withdrawn: what was said of them. */
  readonly declared: Readonly<Record<string, 'done' | 'not-done'>>;
}

/** When something happened: wall clock for people, run time for the run. */
export interface Stamp {
  readonly atMs: number;
  readonly runMs: number;
}

export function cellKey(step: string, host: string | null): string {
  return `${step}@${host ?? '-'}`;
}

/** A command of this cell is on its way or being carried out, and its host still counts as answering. */
export function isInFlight(cell: Cell): boolean {
  return cell.phase === 'dispatched' || (cell.phase === 'compensating' && cell.work?.kind === 'command');
}

/** A person changes something with their hands, and may be in the middle of it. Ticking off an item changes nothing. */
export function isByHand(work: Work | undefined): boolean {
  return work?.kind === 'manual' && work.changes !== false;
}
