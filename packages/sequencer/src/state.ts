import type {
  Actor,
  Applied,
  Condition,
  Direction,
  Failure,
  HoldReason,
  Json,
  JsonObject,
  Leftover,
  Plan,
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

export type RunStatus =
  | 'planned'
  | 'running'
  | 'paused'
  | 'held'
  | 'compensating'
  | 'completed'
  | 'rolled-back'
  | 'aborted';

export interface Approval {
  readonly by: Actor;
  readonly atMs: number;
  readonly runMs: number;
  readonly note: string | undefined;
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
  readonly before: JsonObject | undefined;
  readonly receipt: JsonObject | undefined;
  readonly values: Readonly<Record<string, Json>> | undefined;
  readonly failure: Failure | undefined;
  readonly probed: Applied | undefined;
  readonly via: Via | undefined;
  readonly startedAtMs: number | undefined;
  readonly startedRunMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly endedRunMs: number | undefined;
  readonly durationMs: number | undefined;
  /** A retry waits until then. */
  readonly notBeforeRunMs: number | undefined;
  readonly approvals: readonly Approval[];
  /** For a fence: the last break, until it was met again. */
  readonly broken: string | undefined;
  readonly skippedBecause: string | undefined;
  /** Tries whose end has been reported, `do1`, `undo2`: reports come at least once. */
  readonly settled: readonly string[];
}

export interface Adjustment {
  readonly timeoutMs: number | undefined;
  readonly until: Condition | undefined;
}

export interface RunNote {
  readonly atMs: number;
  readonly by: string;
  readonly text: string;
}

export interface RunState {
  readonly run: string;
  readonly mesh: string;
  readonly plan: Plan;
  readonly planHash: string;
  readonly status: RunStatus;
  /** `undo` from UndoStarted on, also while held or paused. */
  readonly direction: Direction;
  readonly submitter: Actor;
  readonly owner: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly createdAtMs: number;
  readonly atMs: number;
  readonly runMs: number;
  readonly endedAtMs: number | undefined;
  readonly cells: ReadonlyMap<string, Cell>;
  /** Points of no return behind the run, by step instance. */
  readonly crossed: readonly string[];
  readonly rounds: number;
  readonly reasons: readonly HoldReason[];
  readonly heldSinceMs: number | undefined;
  readonly undoReason: Failure | undefined;
  /** Hosts being undone inside a batch, by host: the group. */
  readonly dropping: ReadonlyMap<string, { readonly group: string; readonly failure: Failure }>;
  readonly dropped: ReadonlyMap<string, { readonly group: string | null; readonly reason: string }>;
  readonly silent: ReadonlySet<string>;
  readonly adjustments: ReadonlyMap<string, Adjustment>;
  /** Groups whose deadline has been acted on, clocks whose budget has passed: once each. */
  readonly deadlines: ReadonlySet<string>;
  readonly budgets: ReadonlySet<string>;
  readonly acknowledgedBy: string | undefined;
  readonly notes: readonly RunNote[];
  readonly leftovers: readonly Leftover[];
  readonly closed: boolean;
}

/** When something happened: wall clock for people, run time for the run. */
export interface Stamp {
  readonly atMs: number;
  readonly runMs: number;
}

export function cellKey(step: string, host: string | null): string {
  return `${step}@${host ?? '-'}`;
}

export const ENDED: ReadonlySet<RunStatus> = new Set<RunStatus>(['completed', 'rolled-back', 'aborted']);

export function isEnded(state: RunState): boolean {
  return ENDED.has(state.status);
}
