import type { PlanStep } from '@signalbox/protocol';
import { blockers } from './blockers.ts';
import type { Draft } from './decide/draft.ts';
import { askVotersAgain } from './decide/rounds.ts';
import { startStep } from './decide/start.ts';
import { leftoversOf } from './leftovers.ts';
import { isLeftOut, isMoving, openReasons, type RunState } from './state.ts';
import type { CellRef } from './tree.ts';
import { backward, forward } from './walk.ts';
import { arrivedAt } from './way-back.ts';
import { windowHold } from './window.ts';

/** What follows by itself from where the run stands: starts what may start, ends what is over, holds what is stuck. */
export function advance(draft: Draft): void {
  liftHold(draft);
  // Each round starts at least one step, drops a host or changes the run's status, so this ends.
  while (!draft.ended && isMoving(draft.state)) {
    const before = draft.events.length;
    if (draft.state.direction === 'undo') advanceBack(draft);
    else advanceForward(draft);
    if (draft.events.length === before) return;
  }
}

function advanceForward(draft: Draft): void {
  advanceDrops(draft);
  const walk = forward(draft.state);
  if (walk.done && draft.state.dropping.size === 0) {
    end(draft, 'completed');
    return;
  }
  if (closeWindow(draft)) return;
  const begun = startAll(draft, walk.ready, 'do');
  if (!begun && isStuck(draft.state)) holdStuck(draft);
}

/** Once for each window: whoever resumes the run after it has said that it may go on. */
export function closeWindow(draft: Draft): boolean {
  const reason = windowHold(draft.state);
  if (reason) draft.hold(reason);
  return reason !== undefined;
}

function advanceBack(draft: Draft): void {
  const walk = backward(draft.state);
  if (walk.done) {
    const { undoTo, run } = draft.state;
    if (undoTo === undefined) end(draft, 'rolled-back');
    else draft.hold(arrivedAt(run, undoTo));
    return;
  }
  const begun = startAll(draft, walk.ready, 'undo');
  if (!begun && isStuck(draft.state)) holdStuck(draft);
}

/** Hosts that failed within a batch's limit are undone inside their group; when that is over, they are dropped. */
function advanceDrops(draft: Draft): void {
  for (const [host, { group: id, failure }] of draft.state.dropping) {
    const group = findGroup(draft.state.plan.steps, id);
    if (!group) continue;
    const walk = backward(draft.state, { group, host });
    if (walk.done) draft.emit({ type: 'HostDropped', host, group: id, reason: `${failure.code}: ${failure.message}` });
    else startAll(draft, walk.ready, 'undo');
  }
}

function startAll(draft: Draft, refs: readonly CellRef[], direction: 'do' | 'undo'): boolean {
  const before = draft.events.length;
  for (const ref of refs) {
    // A start may itself fail and turn the run around; what was ready before is then not ready any more.
    if (!isMoving(draft.state) || (direction === 'do' && draft.state.direction === 'undo')) break;
    startStep(draft, ref, direction);
  }
  return draft.events.length > before;
}

/** Nothing runs, nothing waits, nothing is due: only a person can go on. */
function isStuck(state: RunState): boolean {
  return ![...state.cells.values()].some((cell) => {
    if (isLeftOut(state, cell.host)) return false;
    const isDueLater = cell.notBeforeRunMs !== undefined && cell.notBeforeRunMs > state.runMs;
    const waits = cell.phase === 'gated' || cell.phase === 'compensating';
    return waits || cell.phase === 'dispatched' || (cell.phase === 'pending' && isDueLater);
  });
}

function holdStuck(draft: Draft): void {
  const reasons = blockers(draft.state);
  if (reasons.length > 0) draft.emit({ type: 'Held', reasons });
}

/** [I5] A hold that only waited for knowledge ends when the knowledge is there; every other one waits for a person. */
function liftHold(draft: Draft): void {
  const { state } = draft;
  if (state.status !== 'held' || !state.reasons.every((reason) => reason.cause === 'unknown')) return;
  if (openReasons(state).length > 0) return;
  draft.emit({ type: 'HoldLifted' });
  askVotersAgain(draft);
}

function end(draft: Draft, outcome: 'completed' | 'rolled-back'): void {
  draft.emit({ type: 'Ended', outcome, leftovers: leftoversOf(draft.state) });
  draft.emit({ type: 'RunClosed' });
}

function findGroup(nodes: readonly PlanStep[], id: string): Extract<PlanStep, { kind: 'group' }> | undefined {
  for (const node of nodes) {
    if (node.kind !== 'group') continue;
    if (node.id === id && node.mode === 'batches') return node;
    const inner = findGroup(node.children, id);
    if (inner) return inner;
  }
  return undefined;
}
