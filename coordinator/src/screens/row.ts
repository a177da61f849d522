import type { LeafStep } from '@signalbox/protocol';
import type { Cell, CellRef, RunState } from '@signalbox/sequencer';
import type { GateModel, LiveGate } from './gate-lines.ts';
import type { Stage } from './stages.ts';

/** One written step with all its hosts and items: one line of screen 2. */
export interface Row {
  readonly number: number;
  readonly kind: LeafStep['kind'];
  readonly name: string;
  readonly where: string;
  /** `part`: some hosts or items are done, others have not begun. */
  readonly stage: Stage | 'part';
  /** The word that a person looks for: `done`, `WAITING`, `UNKNOWN`. */
  readonly word: string;
  readonly detail: string;
  /** At the right edge: how long, since when. */
  readonly timing: string;
  readonly endedAtMs: number | undefined;
  readonly fence: 'standing' | 'broken' | undefined;
  readonly gates: readonly GateModel[];
}

export interface RowContext {
  readonly state: RunState;
  /** Run time now. */
  readonly runMs: number;
  readonly live: readonly LiveGate[];
}

/** One step instance on one host, as far as a row is made of it. */
export interface Instance {
  readonly ref: CellRef;
  readonly cell: Cell;
  readonly stage: Stage;
}
