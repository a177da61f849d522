import type { Plan, PlanStep, Timing } from '@signalbox/protocol';
import { BEGIN_MS } from '../machine.ts';

/** How long a run waits for its first window: long enough to be seen waiting. */
const BEFORE_WINDOW_MS = 20_000;

/** The most that lies between two moments: enough for all that is done in a night here, and nobody waits for the next one. */
const BETWEEN_MS = 1_200_000;

/** A moment that the plan names (epoch milliseconds), as one of the simulation's. */
export type Calendar = (ms: number) => number;

interface Moment {
  readonly ms: number;
  /** Something may begin then; else something has to be over or decided. */
  readonly begins: boolean;
}

/** Keeps the order of all moments, and brings those nearer to each other that are far apart. */
export function calendarOf(plan: Plan): Calendar {
  const simulated = new Map<number, number>();
  let [beforeMs, nowMs] = [plan.madeAtMs, BEGIN_MS];
  for (const { ms, begins } of momentsOf(plan).sort((a, b) => a.ms - b.ms)) {
    const opens = begins && simulated.size === 0;
    nowMs += opens ? BEFORE_WINDOW_MS : Math.min(Math.max(ms - beforeMs, 0), BETWEEN_MS);
    simulated.set(ms, nowMs);
    beforeMs = ms;
  }
  return (ms) => simulated.get(ms) ?? ms;
}

/** How much simulated time there is until the last moment of a plan that is on the simulation's calendar. */
export function spanMs(plan: Plan): number {
  return Math.max(BEGIN_MS, ...momentsOf(plan).map(({ ms }) => ms)) - BEGIN_MS;
}

function momentsOf({ window = {}, steps }: Plan): Moment[] {
  const timings = steps.flatMap(timingsOf);
  const begin = [window.notBeforeMs, ...timings.map(({ notBeforeMs }) => notBeforeMs)];
  const end = [window.notAfterMs, ...timings.map(({ decideByMs }) => decideByMs)];
  const moments = (ms: number | undefined, begins: boolean): Moment[] => (ms === undefined ? [] : [{ ms, begins }]);
  return [...begin.flatMap((ms) => moments(ms, true)), ...end.flatMap((ms) => moments(ms, false))];
}

function timingsOf(step: PlanStep): Timing[] {
  if (step.kind !== 'group') return [];
  return [...(step.timing ? [step.timing] : []), ...step.children.flatMap(timingsOf)];
}
