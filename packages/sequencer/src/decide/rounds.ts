import { judge, type Work } from '@signalbox/protocol';
import { sequencerError } from '../codes.ts';
import { untilOf } from '../conditions.ts';
import type { Input } from '../inputs.ts';
import { isMoving, type RunState } from '../state.ts';
import { type CellRef, indexOf } from '../tree.ts';
import { cellOf } from '../walk.ts';
import { currentTry, type Draft } from './draft.ts';
import { sendBack, voidWhatReliedOn } from './relied-on.ts';

type Sampled = Extract<Input, { type: 'roundSampled' }>;

/**
 * The last look before a point of no return. A guard holds when its fence never broke and a sample taken for this round
 * agrees with it; a guard that is valid while fences hold is as fresh as they are.
 */
export function onRoundSampled(draft: Draft, input: Sampled): void {
  const ref = draft.ref(input.step, null);
  if (ref?.leaf.kind !== 'pointOfNoReturn' || !isMoving(draft.state)) return;
  const { work, phase } = draft.cell(ref);
  if (phase !== 'gated' || work?.kind !== 'round' || work.round !== input.round) return;
  const stale = guardsOf(draft.state, ref).flatMap((guard) => staleness(draft.state, guard, input) ?? []);
  if (stale.length === 0) cross(draft, ref, input);
  else stayBefore(draft, ref, stale);
}

function cross(draft: Draft, ref: CellRef, { round, samples }: Sampled): void {
  const evidence = samples.map(({ step, host, values }) => ({ step, host, values: values ?? {} }));
  draft.emit({ type: 'Crossed', step: ref.leaf.id, round, evidence });
  draft.emit({ type: 'StepSucceeded', ...currentTry(draft.cell(ref)), via: 'sample' });
}

function stayBefore(draft: Draft, ref: CellRef, stale: readonly Stale[]): void {
  const message = stale.map(({ guard, why }) => `${guard.leaf.id} on ${guard.host}: ${why}`).join('; ');
  const { failure } = sequencerError('SB-GUARD-STALE', message);
  draft.emit({ type: 'StepFailed', ...currentTry(draft.cell(ref)), failure, unapplied: true });
  for (const { guard, why, values } of stale) {
    const { phase, broken } = draft.cell(guard);
    if (phase !== 'succeeded' || broken !== undefined || guard.host === null) continue;
    draft.emit({ type: 'FenceBroken', step: guard.leaf.id, host: guard.host, values, why });
    voidWhatReliedOn(draft, guard.leaf.id);
    sendBack(draft, guard, `${guard.leaf.id} no longer holds`);
  }
  draft.hold({ cause: 'gate', step: ref.leaf.id, host: null, failure });
}

/** The gates, on each host, that guard a point of no return. */
export function guardsOf(state: RunState, ref: CellRef): readonly CellRef[] {
  if (ref.leaf.kind !== 'pointOfNoReturn') return [];
  const { byStep } = indexOf(state.plan);
  return ref.leaf.guards
    .flatMap((id) => byStep.get(id) ?? [])
    .filter((guard) => guard.host !== null && !state.dropped.has(guard.host));
}

/** `round`: counts all rounds of the run, so that no answer of an earlier one is taken for this one's. */
export function roundWork(state: RunState, deadlineRunMs: number): Work {
  return { kind: 'round', round: state.rounds + 1, deadlineRunMs };
}

interface Stale {
  readonly guard: CellRef;
  readonly why: string;
  readonly values: NonNullable<Sampled['samples'][number]['values']>;
}

function staleness(state: RunState, guard: CellRef, { samples }: Sampled): Stale | undefined {
  const { leaf, host } = guard;
  if (leaf.kind !== 'gate') return undefined;
  const cell = cellOf(state, guard);
  const sample = samples.find((s) => s.step === leaf.id && s.host === host);
  const values = sample?.values ?? {};
  if (cell.phase !== 'succeeded' || cell.broken !== undefined) {
    return { guard, why: cell.broken ?? 'it is not met', values };
  }
  if (leaf.validWhile.length > 0) return undefined;
  if (sample?.values === undefined) return { guard, why: 'no fresh sample could be taken', values };
  // Two samples, the one that met the gate and the fresh one, so that a counter that has moved since is noticed.
  const window = [
    { atMs: 0, values: cell.values ?? {} },
    { atMs: 1, values: sample.values },
  ];
  const broken = judge(untilOf(state, leaf, host), window).find((judgement) => judgement.breaks);
  if (!broken) return undefined;
  const have = JSON.stringify(broken.have ?? null);
  return { guard, why: `${broken.key} is ${have}, want ${broken.op} ${JSON.stringify(broken.want)}`, values };
}
