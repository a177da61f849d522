import type { Crossing, Plan, VoteGuard, Work } from '@signalbox/protocol';
import { DEFAULTS } from '@signalbox/protocol';
import { cellKey } from './cell.ts';
import { untilOf } from './conditions.ts';
import { resolveObject } from './resolve.ts';
import type { RunState } from './state.ts';
import { type CellRef, indexOf, refsIn } from './tree.ts';
import { cellOf } from './walk.ts';

type RoundWork = Extract<Work, { kind: 'round' }>;

/** The gates, on each host, that guard a point of no return. */
export function guardsOf(state: RunState, ref: CellRef): readonly CellRef[] {
  if (ref.leaf.kind !== 'pointOfNoReturn') return [];
  const { byStep } = indexOf(state.plan);
  return ref.leaf.guards
    .flatMap((id) => byStep.get(id) ?? [])
    .filter((guard) => guard.host !== null && !state.dropped.has(guard.host));
}

/**
 * What a point of no return is crossed for: the first action behind it, and what begins beside it. Their hosts vote, and
 * their commands carry the votes. What comes later may rely on what these have done, so the guards are over by then.
 */
export function crossedFor(plan: Plan, point: CellRef): readonly CellRef[] {
  const first = indexOf(plan).refs.find((ref) => ref.position > point.position && doesSomething(ref));
  if (first?.leaf.kind !== 'action') return [];
  const around = first.groups.find((group) => group.mode === 'parallel' && !point.groups.includes(group));
  const beside = around?.children.slice(0, around.limit) ?? [];
  const leaves = beside.map((child) => refsIn(plan, child).find(doesSomething)?.leaf);
  return indexOf(plan).refs.filter(
    ({ leaf }) => leaf.kind === 'action' && (leaf === first.leaf || leaves.includes(leaf)),
  );
}

function doesSomething({ leaf, left, onlyUndo }: CellRef): boolean {
  if (left || onlyUndo) return false;
  return leaf.kind === 'action'
    ? leaf.effect !== 'read'
    : (leaf.kind === 'manual' && leaf.changes !== false) || leaf.kind === 'pointOfNoReturn';
}

/** The votes that a step's command carries, when it is what the last point of no return was crossed for. */
export function crossingOf({ plan, crossing }: RunState, ref: CellRef): Crossing | undefined {
  const point = crossing && indexOf(plan).byKey.get(cellKey(crossing.step, null));
  return point && crossedFor(plan, point).some(({ key }) => key === ref.key) ? crossing : undefined;
}

/**
 * The next round of votes [D4]. It has a number and a nonce that no other round of this run has, so no vote that was
 * given in another one is taken for one of this.
 */
export function roundWork(state: RunState, ref: CellRef, runMs: number): RoundWork {
  const round = state.rounds + 1;
  const { voteValidMs: validMs, crossMarginMs } = DEFAULTS;
  return {
    kind: 'round',
    round,
    roundNonce: `${state.nonce}.${round}`,
    validMs,
    voters: votersOf(state, ref),
    deadlineRunMs: runMs + validMs - crossMarginMs,
  };
}

/** The round that a point of no return waits for, while votes in it count. */
export function openRound(state: RunState, ref: CellRef): RoundWork | undefined {
  const { phase, work } = cellOf(state, ref);
  return phase === 'gated' && work?.kind === 'round' ? work : undefined;
}

function votersOf(state: RunState, point: CellRef): RoundWork['voters'] {
  const guards = guardsOf(state, point);
  const hosts = [...guards, ...crossedFor(state.plan, point)].flatMap(({ host }) =>
    host === null || state.dropped.has(host) ? [] : host,
  );
  return [...new Set(hosts)].map((host) => ({
    host,
    guards: guards.filter((guard) => guard.host === host).flatMap((guard) => voteGuard(state, guard) ?? []),
  }));
}

/** A guard that is valid while fences hold is as fresh as they are: it is not asked again. */
function voteGuard(state: RunState, guard: CellRef): VoteGuard | undefined {
  const { leaf, host } = guard;
  if (leaf.kind !== 'gate' || leaf.validWhile.length > 0) return undefined;
  const target = leaf.targets.find((t) => t.host === host);
  return {
    step: leaf.id,
    probe: leaf.probe,
    with: resolveObject(state, target?.with ?? {}),
    until: untilOf(state, leaf, host),
    seed: { ...cellOf(state, guard).values },
    everyMs: leaf.everyMs,
  };
}
