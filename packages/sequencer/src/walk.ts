import type { GroupStep, PlanStep } from '@signalbox/protocol';
import type { Cell } from './cell.ts';
import { isSealed } from './fences.ts';
import { isLeftOut, type RunState } from './state.ts';
import { type CellRef, hostsOf, indexOf, inOtherBranch, refsIn } from './tree.ts';
import { isKept } from './way-back.ts';
import { isOutsideWindow } from './window.ts';

/** What a walk over a part of the plan found: what can begin now, and whether the part is over. */
export interface Walk {
  readonly ready: readonly CellRef[];
  readonly done: boolean;
}

const NOTHING_LEFT: Walk = { ready: [], done: true };

export function cellOf(state: RunState, ref: CellRef): Cell {
  const cell = state.cells.get(ref.key);
  if (!cell) throw new Error(`no cell ${ref.key}`);
  return cell;
}

/** [I2] The steps that may begin on the way forward: all that stands before them is over. */
export function forward(state: RunState): Walk {
  const walk = inOrder(state.plan.steps, (node) => forwardNode(state, node));
  return isOutsideWindow(state) ? { ...walk, ready: [] } : walk;
}

/** Whether the way forward has nothing left to do in a part of the plan. */
export function isDone(state: RunState, node: PlanStep): boolean {
  return forwardNode(state, node).done;
}

function forwardNode(state: RunState, node: PlanStep): Walk {
  if (node.skip !== undefined || node.only === 'undo') return NOTHING_LEFT;
  if (node.kind === 'group') {
    if (isTooEarly(state, node)) return { ready: [], done: false };
    const walk = (child: PlanStep) => forwardNode(state, child);
    if (node.mode !== 'parallel') return inOrder(node.children, walk);
    return atOnce(node, walk, (child) => refsIn(state.plan, child).some((ref) => cellOf(state, ref).attempts.do > 0));
  }
  const open = refsIn(state.plan, node).filter((ref) => !isOver(state, ref));
  return { ready: open.filter((ref) => isStartable(state, ref)), done: open.length === 0 };
}

export function isOver(state: RunState, ref: CellRef): boolean {
  const cell = cellOf(state, ref);
  if (ref.host !== null && state.dropped.has(ref.host)) return true;
  if (cell.phase === 'succeeded') return cell.broken === undefined || isSealed(state, ref);
  return cell.phase === 'skipped' || cell.phase === 'dropped';
}

function isStartable(state: RunState, ref: CellRef): boolean {
  const cell = cellOf(state, ref);
  if (cell.phase !== 'pending' || (ref.host !== null && state.dropping.has(ref.host))) return false;
  return cell.notBeforeRunMs === undefined || cell.notBeforeRunMs <= state.runMs;
}

function isTooEarly(state: RunState, group: GroupStep): boolean {
  const notBeforeMs = group.timing?.notBeforeMs;
  return notBeforeMs !== undefined && state.atMs < notBeforeMs;
}

/**
 * [I4] The steps that may be undone now: reverse order, everything that was applied, on every host.
 * With `only`, one host inside one group: what a failure within a batch's limit asks for.
 */
export function backward(state: RunState, only?: { group: GroupStep; host: string }): Walk {
  const nodes = only ? only.group.children : state.plan.steps;
  return inReverse(nodes, (node) => backwardNode(state, node, only?.host));
}

function backwardNode(state: RunState, node: PlanStep, host: string | undefined): Walk {
  if (node.skip !== undefined) return NOTHING_LEFT;
  if (node.kind === 'group') {
    const walk = (child: PlanStep) => backwardNode(state, child, host);
    if (node.mode !== 'parallel') return inReverse(node.children, walk);
    return atOnce(node, walk, (child) =>
      refsIn(state.plan, child).some((ref) => cellOf(state, ref).phase === 'compensating'),
    );
  }
  const refs = refsIn(state.plan, node).filter((ref) => host === undefined || ref.host === host);
  const open = refs.filter((ref) => isOwed(state, ref, host));
  return { ready: open.filter((ref) => isUndoable(state, ref)), done: open.length === 0 };
}

/** Whether the way back has something to do here, now or when what runs has ended. */
function isOwed(state: RunState, ref: CellRef, host: string | undefined): boolean {
  const cell = cellOf(state, ref);
  if (ref.host !== null && state.dropped.get(ref.host)?.group === null) return false;
  if (isKept(state, ref)) return false;
  if (cell.phase === 'dispatched' || cell.phase === 'compensating') return true;
  if (ref.onlyUndo) return cell.phase !== 'compensated' && cell.phase !== 'dropped' && wasPassed(state, ref, host);
  if (ref.leaf.kind === 'manual') return cell.applied;
  if (ref.leaf.kind !== 'action' || !cell.applied) return false;
  return ref.leaf.effect !== 'read' && (ref.leaf.reversible || ref.leaf.effect !== 'idempotent');
}

function isUndoable(state: RunState, ref: CellRef): boolean {
  const cell = cellOf(state, ref);
  if (cell.notBeforeRunMs !== undefined && cell.notBeforeRunMs > state.runMs) return false;
  if (cell.phase === 'dispatched' || cell.phase === 'compensating') return false;
  // A failed or unknown undo waits for a decision.
  return !(cell.direction === 'undo' && (cell.phase === 'failed' || cell.phase === 'unknown'));
}

/** A step `only: undo` is met on the way back when the way forward (of that host) had gone past its place. */
function wasPassed(state: RunState, ref: CellRef, host: string | undefined): boolean {
  return indexOf(state.plan).refs.some(
    (other) =>
      other.position > ref.position &&
      !other.onlyUndo &&
      (host === undefined || other.host === host) &&
      cellOf(state, other).attempts.do > 0 &&
      !inOtherBranch(ref, other),
  );
}

function inOrder(nodes: readonly PlanStep[], walk: (node: PlanStep) => Walk): Walk {
  for (const node of nodes) {
    const found = walk(node);
    if (!found.done) return found;
  }
  return NOTHING_LEFT;
}

function inReverse(nodes: readonly PlanStep[], walk: (node: PlanStep) => Walk): Walk {
  return inOrder([...nodes].reverse(), walk);
}

/** All children together, at most `limit` of them begun and not over. */
function atOnce(group: GroupStep, walk: (node: PlanStep) => Walk, hasBegun: (node: PlanStep) => boolean): Walk {
  const open = group.children
    .map((child) => ({ ...walk(child), begun: hasBegun(child) }))
    .filter((found) => !found.done);
  let room = (group.limit ?? Number.POSITIVE_INFINITY) - open.filter((found) => found.begun).length;
  const ready = open.flatMap((found) => {
    if (found.begun) return found.ready;
    // What cannot begin anyway takes no place.
    return found.ready.length > 0 && room-- > 0 ? found.ready : [];
  });
  return { ready, done: open.length === 0 };
}

/** Hosts whose targets a leaf still has, for screens. */
export function liveHosts(state: RunState, ref: CellRef): readonly (string | null)[] {
  return hostsOf(ref.leaf).filter((host) => !isLeftOut(state, host));
}
