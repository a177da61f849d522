import type { GroupStep, PlanStep } from '@signalbox/protocol';
import type { Cell, RunState } from './state.ts';
import { type CellRef, hostsOf, indexOf } from './tree.ts';

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
  return inOrder(state.plan.steps, (node) => forwardNode(state, node));
}

function forwardNode(state: RunState, node: PlanStep): Walk {
  if (node.skip !== undefined || node.only === 'undo') return NOTHING_LEFT;
  if (node.kind === 'group') {
    if (isTooEarly(state, node)) return { ready: [], done: false };
    const walk = (child: PlanStep) => forwardNode(state, child);
    return node.mode === 'parallel' ? atOnce(state, node, walk) : inOrder(node.children, walk);
  }
  const refs = indexOf(state.plan).byLeaf.get(node) ?? [];
  const open = refs.filter((ref) => !isOver(state, ref));
  return {
    ready: open.filter((ref) => isStartable(state, ref)),
    done: open.length === 0,
  };
}

function isOver(state: RunState, ref: CellRef): boolean {
  const cell = cellOf(state, ref);
  if (ref.host !== null && state.dropped.has(ref.host)) return true;
  if (cell.phase === 'succeeded') return cell.broken === undefined || state.crossed.length > 0;
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

function inOrder(nodes: readonly PlanStep[], walk: (node: PlanStep) => Walk): Walk {
  for (const node of nodes) {
    const found = walk(node);
    if (!found.done) return found;
  }
  return NOTHING_LEFT;
}

function atOnce(state: RunState, group: GroupStep, walk: (node: PlanStep) => Walk): Walk {
  const walks = group.children.map((child) => ({ ...walk(child), begun: hasBegun(state, child) }));
  const open = walks.filter((w) => !w.done);
  const limit = group.limit ?? Number.POSITIVE_INFINITY;
  let room = limit - open.filter((w) => w.begun).length;
  const ready = open.flatMap((w) => (w.begun || room-- > 0 ? w.ready : []));
  return { ready, done: open.length === 0 };
}

function hasBegun(state: RunState, node: PlanStep): boolean {
  return refsIn(state, node).some((ref) => cellOf(state, ref).attempts.do > 0);
}

/** All step instances inside a node, in plan order. */
export function refsIn(state: RunState, node: PlanStep): readonly CellRef[] {
  if (node.kind !== 'group') return indexOf(state.plan).byLeaf.get(node) ?? [];
  return node.children.flatMap((child) => refsIn(state, child));
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
    const open = node.children.map(walk).filter((w) => !w.done);
    return { ready: open.flatMap((w) => w.ready), done: open.length === 0 };
  }
  const refs = (indexOf(state.plan).byLeaf.get(node) ?? []).filter((ref) => host === undefined || ref.host === host);
  const open = refs.filter((ref) => isOwed(state, ref));
  return { ready: open.filter((ref) => isUndoable(state, ref)), done: open.length === 0 };
}

/** Whether the way back has something to do here, now or when what runs has ended. */
function isOwed(state: RunState, ref: CellRef): boolean {
  const cell = cellOf(state, ref);
  if (ref.leaf.only === 'undo') return cell.phase !== 'compensated' && wasPassed(state, ref);
  if (cell.phase === 'dispatched' || cell.phase === 'compensating') return true;
  if (ref.leaf.kind === 'manual') return cell.applied;
  if (ref.leaf.kind !== 'action' || !cell.applied) return false;
  return ref.leaf.effect !== 'read' && (ref.leaf.reversible || ref.leaf.effect !== 'idempotent');
}

function isUndoable(state: RunState, ref: CellRef): boolean {
  const cell = cellOf(state, ref);
  if (cell.notBeforeRunMs !== undefined && cell.notBeforeRunMs > state.runMs) return false;
  if (cell.phase === 'dispatched' || cell.phase === 'compensating') return false;
  // A failed or unknown undo waits for a decision; so does one that must wait for the outcome of what it undoes.
  return !(cell.direction === 'undo' && (cell.phase === 'failed' || cell.phase === 'unknown'));
}

/** A step `only: undo` is met on the way back when the way forward had gone past its place. */
function wasPassed(state: RunState, ref: CellRef): boolean {
  return indexOf(state.plan).refs.some(
    (other) =>
      other.position > ref.position &&
      other.leaf.only !== 'undo' &&
      cellOf(state, other).attempts.do > 0 &&
      !inOtherBranch(ref, other),
  );
}

/** True when both stand in different branches of a parallel group, or in different shares of a batch. */
function inOtherBranch(a: CellRef, b: CellRef): boolean {
  const depth = a.groups.findIndex((group, i) => b.groups[i] !== group);
  const common = a.groups[(depth < 0 ? Math.min(a.groups.length, b.groups.length) : depth) - 1];
  return common?.mode === 'parallel';
}

function inReverse(nodes: readonly PlanStep[], walk: (node: PlanStep) => Walk): Walk {
  return inOrder([...nodes].reverse(), walk);
}

/** Hosts whose targets a leaf still has, for screens. */
export function liveHosts(state: RunState, ref: CellRef): readonly (string | null)[] {
  return hostsOf(ref.leaf).filter((host) => host === null || !state.dropped.has(host));
}
