import type {
  Actor,
  Condition,
  Crossing,
  Direction,
  Failure,
  HoldReason,
  Leftover,
  Plan,
  SignedStart,
  VoteEvidence,
} from '@signalbox/protocol';
import { type Cell, cellKey } from './cell.ts';
import type { Cells } from './cells.ts';

export type RunStatus =
  | 'planned'
  | 'running'
  | 'paused'
  | 'held'
  | 'compensating'
  | 'completed'
  | 'rolled-back'
  | 'aborted';

export interface Adjustment {
  readonly timeoutMs: number | undefined;
  readonly until: Condition | undefined;
  /** Counts changes of `until`: each begins a new window. */
  readonly revision: number;
}

export interface RunNote {
  readonly atMs: number;
  readonly by: string;
  readonly text: string;
}

export interface Vote {
  readonly vote: 'yes' | 'no';
  readonly journalSequence: number;
  readonly evidence: readonly VoteEvidence[];
  readonly why: string | undefined;
}

export interface RunState {
  readonly run: string;
  readonly mesh: string;
  readonly plan: Plan;
  readonly planHash: string;
  /** The operator's own word that the plan is to be carried out. */
  readonly signed: SignedStart | undefined;
  readonly status: RunStatus;
  /** A person paused the run and has not resumed it: a hold that lifts itself meanwhile leaves it paused. */
  readonly paused: boolean;
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
  readonly cells: Cells;
  /** Points of no return behind the run, by step instance. */
  readonly crossed: readonly string[];
  /** Rounds of votes that were begun, and what was voted in the last one, by host. */
  readonly rounds: number;
  readonly votes: ReadonlyMap<string, Vote>;
  /** The last round in which a host was asked for its vote, until that round is crossed: it may have to be released. */
  readonly asked: ReadonlyMap<string, number>;
  /** The votes by which the last point of no return was crossed. */
  readonly crossing: Crossing | undefined;
  readonly reasons: readonly HoldReason[];
  readonly heldSinceMs: number | undefined;
  readonly undoReason: Failure | undefined;
  /** The last step that the way back leaves as it is; undefined: everything is taken back. */
  readonly undoTo: string | undefined;
  /** Hosts being undone inside a batch, by host: the group. */
  readonly dropping: ReadonlyMap<string, { readonly group: string; readonly failure: Failure }>;
  readonly dropped: ReadonlyMap<string, { readonly group: string | null; readonly reason: string }>;
  readonly silent: ReadonlySet<string>;
  readonly adjustments: ReadonlyMap<string, Adjustment>;
  /** Groups whose deadline has been acted on, clocks whose budget has passed: once each. */
  readonly deadlines: ReadonlySet<string>;
  readonly budgets: ReadonlySet<string>;
  /** The window is over, and a person has let the run go on. */
  readonly overtime: true | undefined;
  readonly acknowledgedBy: string | undefined;
  readonly notes: readonly RunNote[];
  readonly leftovers: readonly Leftover[];
  readonly closed: boolean;
}

export const ENDED: ReadonlySet<RunStatus> = new Set<RunStatus>(['completed', 'rolled-back', 'aborted']);

export function isEnded(state: RunState): boolean {
  return ENDED.has(state.status);
}

export function isMoving(state: RunState): boolean {
  return state.status === 'running' || state.status === 'compensating';
}

/** The run goes on without this host for good: by an operator's word, or, on the way forward, because it failed in a batch. */
export function isLeftOut(state: RunState, host: string | null): boolean {
  const dropped = host === null ? undefined : state.dropped.get(host);
  return dropped !== undefined && (dropped.group === null || state.direction === 'do');
}

/** Why the run is held as things are now: without outcomes that have become known since. */
export function openReasons(state: RunState): readonly HoldReason[] {
  return state.reasons.filter((reason) => {
    const cell = cellOfReason(state, reason);
    return reason.cause !== 'unknown' || cell === undefined || cell.phase === 'unknown';
  });
}

/** The step on a host that a reason is about; undefined when it is about the run. */
export function cellOfReason(state: RunState, { step, host }: HoldReason): Cell | undefined {
  return step === undefined ? undefined : state.cells.get(cellKey(step, host ?? null));
}

/** A host knows of decisions that the log does not have: until a person has compared the two, nothing is asked of any. */
export function isContradicted(state: RunState): boolean {
  return state.reasons.some(({ failure }) => failure.code === 'SB-RUN-CONTRADICTED');
}
