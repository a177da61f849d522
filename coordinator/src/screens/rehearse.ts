import type { Actor } from '@signalbox/protocol';
import { SignalboxError } from '@signalbox/protocol';
import { type Cell, decide, evolveEntry, type Input, indexOf, isEnded, type RunState } from '@signalbox/sequencer';

import { estimatesOf, type UndoTime, type UndoTimes, undoTimeOf } from './undo-time.ts';

/**
 * What would follow if an operator said something now. The sequencer itself is asked, on a copy of the state, so a screen
 * promises nothing that the coordinator would refuse.
 */
export function consequence(state: RunState, input: Input): { state: RunState } | { refused: SignalboxError } {
  const now = { atMs: state.atMs, runMs: state.runMs, random: 0 };
  try {
    return { state: evolveEntry(state, { ...now, events: decide(state, input, now) }) };
  } catch (error) {
    if (error instanceof SignalboxError) return { refused: error };
    throw error;
  }
}

/** Somebody who may ask for a look, and for whom nothing is ever written down. */
export const ANYBODY: Actor = { name: 'somebody', key: 'rehearsal', role: 'admin' };

export interface Undo {
  readonly step: string;
  readonly host: string | null;
  /** What is done on the way back, as the plan says it. */
  readonly what: string;
  /** Undefined when nothing of the kind was ever measured. */
  readonly estimateMs: number | undefined;
  /** Undone by a person, or with no undo at all: the way back is held there. */
  readonly byHand: boolean;
  /** Its host does not answer now: it is held until that is back. */
  readonly silent: boolean;
}

export interface UndoRehearsal {
  readonly undos: readonly Undo[];
  readonly time: UndoTime;
  /** What stays behind even when every undo succeeds. */
  readonly leaves: readonly string[];
}

/** Takes a run back in thought, every undo succeeding: what `abort --undo` would do, in its order. `to`: so far, and no further. */
export function rehearseUndo(
  state: RunState,
  { to, times }: { to?: string | undefined; times?: UndoTimes | undefined } = {},
): UndoRehearsal | { refused: SignalboxError } {
  const begun = consequence(state, { type: 'abort', mode: 'undo', to, by: ANYBODY, note: 'rehearsal' });
  if ('refused' in begun) return begun;
  const undos: Undo[] = [];
  const time = undoTimeOf(begun.state, times);
  const estimate = estimatesOf(state, times);
  let current = settleRunning(begun.state);
  // Each round ends at least one step, so this ends; the bound is for a mistake in that sentence.
  for (let round = 0; round < 100_000 && !isEnded(current); round++) {
    const open = [...current.cells.values()].find((cell) => isOpen(cell, current));
    if (open === undefined) break;
    if (tellsOf(open)) undos.push(undoOf(state, open, estimate));
    const next = consequence(current, finish(open));
    if ('refused' in next) break;
    current = next.state;
  }
  return { undos, time, leaves: leavesOf(state, undos) };
}

function isOpen(cell: Cell, { status }: RunState): boolean {
  if (cell.phase === 'compensating') return true;
  return status === 'held' && cell.direction === 'undo' && (cell.phase === 'failed' || cell.phase === 'unknown');
}

/** Steps that still run end first, whatever comes of them; here it is assumed that they are done. */
function settleRunning(state: RunState): RunState {
  return [...state.cells.values()]
    .filter((cell) => cell.phase === 'dispatched' && cell.host !== null)
    .reduce((current, cell) => {
      const next = consequence(current, succeeded(cell));
      return 'refused' in next ? current : next.state;
    }, state);
}

function succeeded(cell: Cell): Input {
  const { step, host, direction, attempts } = cell;
  const of = { step, host: host ?? '', direction, attempt: Math.max(1, attempts[direction]) };
  return { type: 'outcome', ...of, outcome: { status: 'succeeded' }, durationMs: 0 };
}

function finish(cell: Cell): Input {
  const { step, work } = cell;
  const host = cell.host ?? '';
  switch (work?.kind) {
    case 'gate':
      return { type: 'gateMet', step, host, values: cell.values ?? {}, heldMs: 0 };
    case 'record':
      return { type: 'recorded', step, host, values: {} };
    case 'proof':
      return { type: 'proven', step, host };
    case 'manual':
      return { type: 'confirm', step, by: ANYBODY, note: 'rehearsal' };
    case 'command':
      return succeeded(cell);
    default:
      return { type: 'resolve', step, host: cell.host ?? undefined, as: 'succeeded', by: ANYBODY, note: 'rehearsal' };
  }
}

/** A proof becomes a command of the same step; it is told once. */
function tellsOf({ work }: Cell): boolean {
  return work?.kind !== 'proof';
}

function undoOf(
  before: RunState,
  { key, step, host, work, failure }: Cell,
  estimate: ReturnType<typeof estimatesOf>,
): Undo {
  const ref = indexOf(before.plan).byKey.get(key);
  const leaf = indexOf(before.plan).byStep.get(step)?.[0]?.leaf;
  const target = leaf?.kind === 'action' ? leaf.targets.find((t) => t.host === host) : undefined;
  const gate = leaf?.kind === 'gate' ? `wait until it holds (${leaf.probe})` : undefined;
  const manual = work?.kind === 'manual' ? work.text : undefined;
  return {
    step,
    host,
    what: manual ?? gate ?? target?.undoes ?? failure?.message ?? `take back ${step}`,
    estimateMs: ref && estimate(ref),
    byHand: work?.kind === 'manual' || work === undefined,
    silent: host !== null && before.silent.has(host),
  };
}

function leavesOf(state: RunState, undos: readonly Undo[]): string[] {
  const written = new Set(indexOf(state.plan).refs.map((ref) => ref.leaf));
  const left = [...written].flatMap((leaf) => {
    const hosts = undos.filter((undo) => undo.step === leaf.id).flatMap((undo) => undo.host ?? []);
    return leaf.kind === 'action' && leaf.leaves !== undefined && hosts.length > 0
      ? [`${leaf.leaves} (${leaf.id} on ${hosts.join(', ')})`]
      : [];
  });
  return [...new Set(left)];
}
