import type { Cell } from './cell.ts';
import type { RunState } from './state.ts';

/**
 * Names of what is being watched. A key stays while the same question stays open; a new try or another `until` is
 * another question, with another key and a window of its own. An answer to an old question is recognised by its key.
 */
export function gateKey(state: RunState, cell: Cell): string {
  return `${cell.key}#${cell.attempts[cell.direction]}${backMark(cell)}${revision(state, cell)}`;
}

export function fenceKey(state: RunState, cell: Cell): string {
  return `${cell.key}#fence${cell.attempts.do}${revision(state, cell)}`;
}

export function recordKey(cell: Cell): string {
  return `${cell.key}#${cell.attempts[cell.direction]}${backMark(cell)}`;
}

/** One key for each host that must prove something. */
export function proofKey(cell: Cell, index: number): string {
  return `${proofPrefix(cell)}${index}`;
}

export function proofPrefix(cell: Cell): string {
  return `${cell.key}#proof${cell.attempts[cell.direction]}${backMark(cell)}.`;
}

function backMark(cell: Cell): string {
  return cell.direction === 'undo' ? 'u' : '';
}

function revision(state: RunState, cell: Cell): string {
  const count = state.adjustments.get(cell.step)?.revision ?? 0;
  return count === 0 ? '' : `~${count}`;
}
