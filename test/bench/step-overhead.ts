import type { Plan } from '@signalbox/protocol';
import type { Operator } from '../lab/operator.ts';
import { median, type Row } from './figures.ts';
import { type Floor, stepFloor } from './floor.ts';
import type { RunToEnd } from './run-to-end.ts';

const STEPS = 50;
const RUNS = 8;

interface Runner {
  readonly operator: Operator;
  readonly runToEnd: RunToEnd;
}

/**
 * What Signalbox adds to a step: from one step's outcome in the log to the next one's, with the real coordinator and the
 * real agent, less the process itself. A whole run is timed and divided, because the log's own clock counts milliseconds.
 */
export async function stepOverhead(runner: Runner, planOf: (steps: number) => Plan, floor: Floor): Promise<Row[]> {
  await timeRun(runner, planOf(STEPS));
  const perStep: number[] = [];
  for (let i = 0; i < RUNS; i++) perStep.push((await timeRun(runner, planOf(STEPS))) / (STEPS - 1));
  const whole = median(perStep);
  const ownMs = floor.spawn;
  return [
    {
      what: 'a step of `true` on one host, whole',
      unit: 'ms',
      value: whole,
      floor: stepFloor(floor),
      target: { ratio: 2 },
    },
    {
      what: 'the same, without its process',
      unit: 'ms',
      value: whole - ownMs,
      floor: stepFloor(floor) - ownMs,
      target: { value: 15 },
    },
  ];
}

/** @returns milliseconds from the first step's success to the last one's, by the log. */
async function timeRun({ operator, runToEnd }: Runner, plan: Plan): Promise<number> {
  const run = await runToEnd(plan);
  const times = (await operator.log(run)).flatMap(({ atMs, events }) =>
    events.some(({ type }) => type === 'StepSucceeded') ? [atMs] : [],
  );
  const [first = Number.NaN, last = Number.NaN] = [times[0], times.at(-1)];
  if (times.length !== plan.steps.length) {
    throw new Error(`${run} has ${times.length} successes of ${plan.steps.length}`);
  }
  return last - first;
}
