import type { Plan } from '@signalbox/protocol';
import type { Operator } from '../lab/operator.ts';
import { median, type Row } from './figures.ts';
import { type Floor, type FloorMeter, stepFloor } from './floor.ts';
import type { RunToEnd } from './run-to-end.ts';

const STEPS = 50;
const ROUNDS = 9;

interface Runner {
  readonly operator: Operator;
  readonly runToEnd: RunToEnd;
}

/**
 * What Signalbox adds to a step: from one step's outcome in the log to the next one's, with the real coordinator and the
 * real agent, less the process's own time. A whole run is timed and divided, because the log's clock counts milliseconds.
 * Runs and rounds of the floor alternate: a busy moment of the machine then hits both.
 */
export async function stepOverhead(
  runner: Runner,
  planOf: (steps: number) => Plan,
  meter: FloorMeter,
): Promise<{ rows: Row[]; floor: Floor }> {
  await timeRun(runner, planOf(STEPS));
  const steps: number[] = [];
  const floors: Floor[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    steps.push((await timeRun(runner, planOf(STEPS))) / (STEPS - 1));
    floors.push(await meter.measure());
  }
  const middle = (part: keyof Floor) => median(floors.map((floor) => floor[part]));
  const floor: Floor = {
    ...{ append: middle('append'), command: middle('command'), report: middle('report') },
    ...{ fsync: middle('fsync'), spawn: middle('spawn'), process: middle('process') },
  };
  const whole = median(steps);
  const overhead: Row = {
    what: 'a step of `true` on one host, less the process itself',
    unit: 'ms',
    value: whole - floor.process,
    floor: stepFloor(floor),
    target: { ratio: 2, value: 15 },
  };
  return { rows: [overhead, { what: 'the same with it', unit: 'ms', value: whole }], floor };
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
