import type { ApprovalRule, Catalogue, Failure, LeafStep, Plan } from '@signalbox/protocol';
import { type CellRef, indexOf, isEnded } from '@signalbox/sequencer';
import type { Death, Given } from '../given.ts';
import { type Crowd, PEOPLE } from '../people.ts';
import { type SimulationResult, simulate } from '../simulation.ts';
import { spanMs } from './calendar.ts';
import { prepared } from './prepare.ts';

/** Why runs were held that nobody decided on, and how often. */
export interface Reason extends Pick<Failure, 'code' | 'message' | 'next'> {
  /** The step that it is about, which need not be the one at which the host died. */
  readonly step: string | undefined;
  days: number;
}

/** What came of the run when the host of a step died while it was at that step. */
export interface Fate {
  readonly step: string;
  /** Null: the step has no host, and the coordinator died. */
  readonly host: string | null;
  days: number;
  /** The run went on and ended as it was meant to. */
  finished: number;
  /** Everything was taken back. */
  undone: number;
  /** It stands still until a person decides. */
  held: number;
  readonly why: Reason[];
}

export interface PlanDays {
  readonly runbook: string;
  readonly from: number;
  readonly days: number;
  readonly fates: readonly Fate[];
  /** Days on which anything went wrong and people helped: how the run ended, and how often. */
  readonly storms: Readonly<Record<string, number>>;
  readonly broken: readonly { readonly seed: number; readonly what: string }[];
}

export interface PlanDaysOptions {
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  readonly from: number;
  readonly seeds: number;
}

/** For each step more than a small plan has, its patience. */
const MORE_MS = 60_000;
/** A step takes up to three seconds here, a gate up to ten: a death within that finds it at any point. */
const WITHIN_MS = { action: 4_000, other: 10_000 } as const;

/**
 * Days of somebody's plan: on every second one the host of one step dies while it is at it, each in its turn; on the
 * others the weather is as bad as on the days of random plans. A day follows from its seed and the plan.
 */
export async function simulatePlan({ plan, catalogue, from, seeds }: PlanDaysOptions): Promise<PlanDays> {
  const given = givenOf(plan, catalogue);
  const places = placesOf(given.plan);
  const fates = places.map(({ leaf, host }): Fate => {
    return { step: leaf.id, host, days: 0, finished: 0, undone: 0, held: 0, why: [] };
  });
  const storms: Record<string, number> = {};
  const broken: { seed: number; what: string }[] = [];
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await simulate({ seed, ...dayOf(given, places, seed) });
    const fate = fates[placeOf(seed, places.length)];
    if (result.broken) broken.push({ seed, what: result.broken.message });
    else if (isDeath(seed) && fate) count(fate, result);
    else storms[result.status] = (storms[result.status] ?? 0) + 1;
  }
  return { runbook: plan.runbook.name, from, days: seeds, fates, storms, broken };
}

/** One of these days, event by event. */
export async function simulatePlanOnce(options: Pick<PlanDaysOptions, 'plan' | 'catalogue'>, seed: number) {
  const given = givenOf(options.plan, options.catalogue);
  return await simulate({ seed, trace: true, ...dayOf(given, placesOf(given.plan), seed) });
}

function isDeath(seed: number): boolean {
  return seed % 2 === 0;
}

function placeOf(seed: number, places: number): number {
  return Math.floor(seed / 2) % places;
}

function dayOf(given: Given, places: readonly CellRef[], seed: number): { given: Given; death?: Death } {
  const place = places[placeOf(seed, places.length)];
  if (!isDeath(seed) || place === undefined) return { given };
  const { leaf, host } = place;
  const withinMs = leaf.kind === 'action' ? WITHIN_MS.action : WITHIN_MS.other;
  return { given, death: { step: leaf.id, host, withinMs } };
}

function givenOf(plan: Plan, catalogue: Catalogue): Given {
  const ready = prepared(plan);
  const { refs } = indexOf(ready);
  const moreMs = MORE_MS * refs.length + spanMs(ready);
  return { plan: ready, catalogue, crowd: crowdOf(refs.map(({ leaf }) => leaf)), moreMs };
}

/** Steps that a run passes on its way forward. */
function placesOf(plan: Plan): CellRef[] {
  return indexOf(plan).refs.filter(({ left, onlyUndo }) => !left && !onlyUndo);
}

/** Enough people for every approval that the plan asks for. */
function crowdOf(leaves: readonly LeafStep[]): Crowd {
  const rules = leaves.flatMap((leaf): ApprovalRule[] => {
    if (leaf.kind === 'approval') return [leaf.approve];
    return leaf.kind === 'pointOfNoReturn' && leaf.approve ? [leaf.approve] : [];
  });
  const more = rules.flatMap(({ role = 'operator', count }) =>
    Array.from({ length: count }, (_, i) => [`${role}-${i + 1}`, role] as const),
  );
  return { ...PEOPLE, ...Object.fromEntries(more) };
}

function count(fate: Fate, { state, struck }: SimulationResult): void {
  if (!struck) return;
  fate.days += 1;
  if (state.status === 'completed') fate.finished += 1;
  else if (isEnded(state)) fate.undone += 1;
  else {
    fate.held += 1;
    for (const { step, failure } of state.reasons) addReason(fate.why, { ...failure, step });
  }
}

/** One a code and step: the figures in the sentences differ from day to day. */
function addReason(why: Reason[], { code, step, message, next }: Omit<Reason, 'days'>): void {
  const known = why.find((reason) => reason.code === code && reason.step === step);
  if (known) known.days += 1;
  else why.push({ code, step, message, next, days: 1 });
}
