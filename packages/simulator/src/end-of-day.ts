import { type CellRef, cellOf, indexOf, isEnded, type RunState } from '@signalbox/sequencer';
import { must } from './broken.ts';
import type { Host } from './host.ts';

/** What is known at the end of the day besides the log. */
export interface Evidence {
  readonly hosts: ReadonlyMap<string, Host>;
  /** `step@host` of what a person, not a host, has said the outcome of. */
  readonly declared: ReadonlySet<string>;
  /** What this host has done of this step is gone from the log, and people were told that the host knows more than that. */
  readonly wasNamed: (host: string, step: string) => boolean;
}

/** The run has ended, or it is held and says to people why and what they can do. @throws Broken */
export function mustBeSomewhere(state: RunState): void {
  const { status, reasons } = state;
  const knows = reasons.length > 0 && reasons.every(({ failure }) => failure.message !== '' && failure.next !== '');
  must('END', isEnded(state) || (status === 'held' && knows), `the run is ${status}, and nothing happens`);
}

/** [I8] Each note that an operator was told is taken. @throws Broken */
export function mustHaveNotes(state: RunState, notes: ReadonlySet<string>): void {
  for (const text of notes) {
    const kept = state.notes.some((note) => note.text === text);
    must('I8', kept, `"${text}" was acknowledged, and is not in the log`);
  }
}

/** [I4] [I5] What the log says of each step is what is on its host, unless it says that it is not. @throws Broken */
export function mustBeTrue(state: RunState, evidence: Evidence): void {
  for (const ref of indexOf(state.plan).refs) stepMustBeTrue(state, ref, evidence);
}

function stepMustBeTrue(state: RunState, ref: CellRef, { hosts, declared, wasNamed }: Evidence): void {
  const { status, leftovers, dropped } = state;
  if (ref.leaf.kind !== 'action' || ref.host === null || ref.left || ref.onlyUndo) return;
  if (declared.has(ref.key) || dropped.has(ref.host) || wasNamed(ref.host, ref.leaf.id)) return;
  const mark = hosts.get(ref.host)?.mark(ref.leaf.id) ?? 'none';
  const { phase } = cellOf(state, ref);
  if (status === 'completed' && phase === 'succeeded')
    must('I5', mark === 'applied', `${ref.key} is ${mark}, the log says done`);
  const named = leftovers.some(({ step, host }) => step === ref.leaf.id && (host === ref.host || host === null));
  if (status === 'rolled-back' && ref.leaf.reversible && !named) {
    must('I4', mark === 'none', `${ref.key} is ${mark} after the way back, and nobody is told`);
  }
}
