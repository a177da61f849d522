import { type Failure, type HostRecord, hostState, type LogEntry, type ReplyBody } from '@signalbox/protocol';
import {
  type Cell,
  type CellRef,
  type ClockReading,
  cellOf,
  clocksOf,
  indexOf,
  isEnded,
  type RunState,
  type RunStatus,
} from '@signalbox/sequencer';
import { type EventLine, eventLines } from './events.ts';
import type { Row } from './row.ts';
import { rowsOf } from './rows.ts';
import { brokenWord, isStandingFence } from './stages.ts';
import type { Zone } from './time.ts';
import type { UndoTimes } from './undo-time.ts';
import { namedValues } from './values.ts';
import { type Way, wayOf } from './way.ts';

/** Everything that screens 2 and 3 are made of: the folded log, and what is not in it. */
export interface RunInput extends Zone {
  readonly state: RunState;
  readonly entries: readonly LogEntry[];
  /** The operator's clock. */
  readonly nowMs: number;
  /** Newest samples; undefined when no coordinator answers. */
  readonly live: ReplyBody<'live'> | undefined;
  readonly hosts: readonly HostRecord[];
  /** The coordinator's clock when it told of the hosts. */
  readonly hostsAtMs: number;
  /** How long undoing took in earlier runs, where somebody has looked. */
  readonly undoTimes?: UndoTimes | undefined;
  /** No coordinator answers: what is shown is what was last known. */
  readonly away?: boolean;
}

export interface FenceModel {
  readonly step: string;
  readonly number: number;
  readonly values: string;
  /** Why it does not stand any more; a fence that nobody can look at is `UNSEEN`, with its last values. */
  readonly broken: { readonly word: 'BROKEN' | 'UNSEEN'; readonly why: string } | undefined;
  /** How long it has stood, in run time. */
  readonly sinceMs: number;
}

export interface HostModel {
  readonly name: string;
  /** Since the last beat; undefined: never heard of. */
  readonly sinceMs: number | undefined;
  readonly state: 'ok' | 'late' | 'silent' | 'never';
  readonly refusing: Failure | undefined;
}

export interface DeadlineModel {
  readonly step: string;
  readonly decideByMs: number;
  readonly leftMs: number;
  /** Undo begun later than this is not over in time; undefined when nobody knows how long it takes. */
  readonly lastSafeMs: number | undefined;
}

/** The maintenance window, while it matters: not on the way back, nor once a person has let the run go on after it. */
export interface WindowModel {
  /** Undefined: it is open. */
  readonly opensInMs: number | undefined;
  readonly notBeforeMs: number | undefined;
  readonly notAfterMs: number | undefined;
}

/** A decision that a person owes the run. */
export interface Wish {
  readonly kind: 'approval' | 'manual';
  readonly step: string;
  readonly text: string;
}

export interface RunModel extends Zone {
  readonly run: string;
  readonly mesh: string;
  readonly status: RunStatus;
  readonly owner: string;
  readonly acknowledgedBy: string | undefined;
  readonly nowMs: number;
  readonly runMs: number;
  readonly heldSinceMs: number | undefined;
  readonly way: Way;
  readonly clocks: readonly ClockReading[];
  readonly deadlines: readonly DeadlineModel[];
  readonly window: WindowModel | undefined;
  readonly rows: readonly Row[];
  readonly fences: readonly FenceModel[];
  readonly hosts: readonly HostModel[];
  /** The largest difference between a host's clock and the coordinator's. */
  readonly skewMs: number | undefined;
  readonly recent: readonly EventLine[];
  readonly wishes: readonly Wish[];
  /** The next approval on the way, when none is open. */
  readonly thenApprove: string | undefined;
  readonly dropped: readonly string[];
  readonly away: boolean;
}

export function runModel(input: RunInput): RunModel {
  const { state, nowMs, live } = input;
  const runMs = live?.runMs ?? state.runMs;
  const way = wayOf(state, input.undoTimes);
  return {
    run: state.run,
    mesh: state.mesh,
    status: state.status,
    owner: state.owner,
    acknowledgedBy: state.acknowledgedBy,
    nowMs,
    runMs,
    heldSinceMs: state.heldSinceMs,
    way,
    clocks: clocksOf(state, runMs).filter((reading) => reading.elapsedMs !== undefined),
    deadlines:
      isEnded(state) || way.kind === 'sealed' || state.direction === 'undo' ? [] : deadlinesOf(state, nowMs, way),
    window: windowOf(state, nowMs),
    rows: rowsOf({ state, runMs, live: live?.gates ?? [] }),
    fences: fencesOf(state, runMs, live),
    hosts: hostsOf(input),
    skewMs: skewOf(input),
    recent: eventLines(input.entries),
    wishes: wishesOf(state),
    thenApprove: nextApproval(state),
    dropped: [...state.dropped.keys()],
    away: input.away === true,
    timeZone: input.timeZone,
  };
}

function deadlinesOf(state: RunState, nowMs: number, way: Way): DeadlineModel[] {
  const undo = way.kind === 'reversible' ? way.undo : undefined;
  const undoMs = undo?.undos === 0 ? 0 : undo?.untimed === 0 ? undo.ms : undefined;
  const open = indexOf(state.plan).refs.filter((ref) =>
    ['pending', 'gated', 'dispatched'].includes(cellOf(state, ref).phase),
  );
  const groups = new Set(open.flatMap((ref) => ref.groups));
  return [...groups].flatMap(({ id, timing }) => {
    const decideByMs = timing?.decideByMs;
    if (decideByMs === undefined) return [];
    return [
      {
        step: id,
        decideByMs,
        leftMs: decideByMs - nowMs,
        lastSafeMs: undoMs === undefined ? undefined : decideByMs - undoMs,
      },
    ];
  });
}

function windowOf(state: RunState, nowMs: number): WindowModel | undefined {
  const { window } = state.plan;
  if (!window || isEnded(state) || state.direction === 'undo' || state.overtime) return undefined;
  const { notBeforeMs, notAfterMs } = window;
  const opensInMs = notBeforeMs !== undefined && nowMs < notBeforeMs ? notBeforeMs - nowMs : undefined;
  return opensInMs === undefined && notAfterMs === undefined ? undefined : { opensInMs, notBeforeMs, notAfterMs };
}

function fencesOf(state: RunState, runMs: number, live: RunInput['live']): FenceModel[] {
  const standing = indexOf(state.plan).refs.filter((ref) => isStandingFence(state, ref));
  return standing.map((ref) => {
    const cell = cellOf(state, ref);
    const values = live?.gates.find((g) => g.step === cell.step && g.host === cell.host)?.samples.at(-1)?.values;
    return {
      step: cell.step,
      number: ref.leaf.number,
      values: namedValues(keysOf(ref), values ?? cell.values ?? {}),
      broken: brokenOf(cell),
      sinceMs: runMs - (cell.endedRunMs ?? runMs),
    };
  });
}

function brokenOf(cell: Cell): FenceModel['broken'] {
  const word = brokenWord(cell);
  return word && cell.broken !== undefined ? { word, why: cell.broken } : undefined;
}

function keysOf({ leaf, host }: CellRef): string[] {
  const target = leaf.kind === 'gate' ? leaf.targets.find((t) => t.host === host) : undefined;
  return Object.keys(target?.until ?? {});
}

const HOST_WORDS = { online: 'ok', late: 'late', silent: 'silent', never: 'never' } as const;

function hostsOf({ state, hosts, hostsAtMs }: RunInput): HostModel[] {
  // Not asked: an ended run is told from its log alone.
  if (hosts.length === 0) return [];
  return state.plan.hosts
    .filter(({ name }) => !state.dropped.has(name))
    .map(({ name }): HostModel => {
      const record = hosts.find((h) => h.name === name);
      const sinceMs = record?.seenAtMs === undefined ? undefined : Math.max(0, hostsAtMs - record.seenAtMs);
      const word = state.silent.has(name) ? 'silent' : HOST_WORDS[hostState(sinceMs)];
      return { name, sinceMs, state: word, refusing: record?.health?.refusing };
    });
}

function skewOf({ state, hosts }: RunInput): number | undefined {
  const inPlan = hosts.filter((h) => state.plan.hosts.some(({ name }) => name === h.name));
  const skews = inPlan.flatMap((h) => (h.skewMs === undefined ? [] : [Math.abs(h.skewMs)]));
  return skews.length > 0 ? Math.max(...skews) : undefined;
}

function wishesOf(state: RunState): Wish[] {
  return indexOf(state.plan).refs.flatMap((ref): Wish[] => {
    const { work, phase, step } = cellOf(state, ref);
    if (phase !== 'gated' && phase !== 'compensating') return [];
    if (work?.kind === 'approval') return [{ kind: 'approval', step, text: messageOf(ref) }];
    return work?.kind === 'manual' ? [{ kind: 'manual', step, text: work.text }] : [];
  });
}

function messageOf({ leaf }: CellRef): string {
  if (leaf.kind === 'pointOfNoReturn') return leaf.statement;
  return leaf.kind === 'approval' ? (leaf.approve.message ?? '') : '';
}

function nextApproval(state: RunState): string | undefined {
  if (state.direction === 'undo' || isEnded(state)) return undefined;
  const next = indexOf(state.plan).refs.find(
    (ref) =>
      cellOf(state, ref).phase === 'pending' &&
      (ref.leaf.kind === 'approval' || (ref.leaf.kind === 'pointOfNoReturn' && ref.leaf.approve !== undefined)),
  );
  return next?.leaf.id;
}
