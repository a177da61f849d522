import type { Plan } from '@signalbox/protocol';
import { median, type Row } from './figures.ts';
import { type Floor, type FloorMeter, stepFloor } from './floor.ts';
import type { RunToEnd } from './run-to-end.ts';

const STEPS = 50;
const ROUNDS = 9;

/**
 * What Signalbox adds to a step: from one step's outcome in the log to the next one's, with the real coordinator and the
 * real agent, less the process's own time. Runs and rounds of the floor alternate: a busy moment of the machine then hits
 * both. Of both the medians count, so one bad moment hits neither.
 */
export async function stepOverhead(
  runToEnd: RunToEnd,
  planOf: (steps: number) => Plan,
  meter: FloorMeter,
): Promise<{ rows: Row[]; floor: Floor }> {
  await timeSteps(runToEnd, meter, planOf(STEPS));
  const steps: number[] = [];
  const floors: Floor[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    steps.push(median(await timeSteps(runToEnd, meter, planOf(STEPS))));
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

/** @returns milliseconds from each step's success to the next one's, by the log. */
async function timeSteps(runToEnd: RunToEnd, meter: FloorMeter, plan: Plan): Promise<number[]> {
  const times = await meter.successesOf(await runToEnd(plan), plan.steps.length);
  return times.slice(1).map((time, i) => time - (times[i] ?? time));
}
