import type { HoldReason } from '@signalbox/protocol';
import { sequencerError } from './codes.ts';
import type { RunState } from './state.ts';
import { type CellRef, indexOf, refsNamed, spokenId } from './tree.ts';

/** The step down to which `--to` takes a run back, as the log names it. @throws SB-RUN-NO-STEP, SB-RUN-STATE */
export function stepToKeep(state: RunState, said: string, isOver: (ref: CellRef) => boolean): string {
  const { plan, run } = state;
  const spoken = indexOf(plan).refs.find(({ leaf }) => spokenId(leaf.id) === said)?.leaf.id;
  const id = refsNamed(plan, said).length > 0 ? said : (spoken ?? said);
  const refs = refsNamed(plan, id);
  const [first] = refs;
  if (!first) throw sequencerError('SB-RUN-NO-STEP', `${run} has no step ${said}`);
  const own = first.groups.findIndex((group) => group.id === id);
  const around = first.groups.slice(0, own < 0 ? undefined : own).find((group) => group.mode !== 'serial');
  if (around) {
    const why = `${said} stands in ${around.id}, whose steps go at once: what comes after it is not one thing`;
    throw sequencerError('SB-RUN-NO-STEP', why, { next: `Name ${around.id}, or a step before or after it.` });
  }
  const open = refs.find((ref) => !isOver(ref));
  if (open)
    throw sequencerError(
      'SB-RUN-STATE',
      `${said} is not over on ${open.host ?? 'this run'}: nothing comes after it yet`,
    );
  return id;
}

/** It stays as it is on a way back that goes only so far. */
export function isKept({ plan, undoTo }: Pick<RunState, 'plan' | 'undoTo'>, { position }: CellRef): boolean {
  return undoTo !== undefined && position <= Math.max(...refsNamed(plan, undoTo).map((ref) => ref.position));
}

/** Where such a way back ends: a person says what becomes of the rest. */
export function arrivedAt(run: string, step: string): HoldReason {
  const { failure } = sequencerError('SB-UNDONE-TO', `everything after ${step} in ${run} has been taken back`);
  return { cause: 'manual', step, host: null, failure };
}

export function hasArrived({ failure }: HoldReason): boolean {
  return failure.code === 'SB-UNDONE-TO';
}
