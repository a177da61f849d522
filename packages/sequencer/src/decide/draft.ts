import type { Failure, HoldReason, RunEvent } from '@signalbox/protocol';
import type { Cell } from '../cell.ts';
import { cellKey } from '../cell.ts';
import { evolve } from '../evolve.ts';
import type { Now } from '../inputs.ts';
import type { RunState } from '../state.ts';
import { isEnded } from '../state.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { cellOf } from '../walk.ts';

/** A decision in the making: the events so far and the state that they lead to. Lives only inside one `decide`. */
export class Draft {
  readonly events: RunEvent[] = [];
  readonly now: Now;
  #state: RunState;

  constructor(state: RunState, now: Now) {
    this.#state = { ...state, atMs: now.atMs, runMs: now.runMs };
    this.now = now;
  }

  get state(): RunState {
    return this.#state;
  }

  get ended(): boolean {
    return isEnded(this.#state);
  }

  emit(event: RunEvent): void {
    this.#state = evolve(this.#state, event, this.now);
    this.events.push(event);
  }

  ref(step: string, host: string | null): CellRef | undefined {
    return indexOf(this.#state.plan).byKey.get(cellKey(step, host));
  }

  cell(ref: CellRef): Cell {
    return cellOf(this.#state, ref);
  }

  /** Stops dispatch until a person, or the missing knowledge, says more. Reasons add up. */
  hold(reason: HoldReason): void {
    const known = this.#state.reasons.some(
      (r) => r.failure.code === reason.failure.code && r.step === reason.step && r.host === reason.host,
    );
    if (known && this.#state.status === 'held') return;
    this.emit({ type: 'Held', reasons: [...this.#state.reasons, reason] });
  }

  startUndo(reason: Failure, at?: { step: string; host: string | null }): void {
    this.emit({ type: 'UndoStarted', reason, ...(at ?? {}) });
  }
}

/** The identity of the present try of a cell, as events carry it. */
export function currentTry(cell: Cell) {
  return {
    step: cell.step,
    host: cell.host,
    direction: cell.direction,
    attempt: Math.max(1, cell.attempts[cell.direction]),
  };
}

/** What a host has signed, for an event of a step that another one takes values from. */
export function sealedFor(
  { state }: Draft,
  { key }: CellRef,
  { sealed }: { readonly sealed?: string },
): { readonly sealed?: string } {
  return sealed !== undefined && indexOf(state.plan).sources.has(key) ? { sealed } : {};
}
