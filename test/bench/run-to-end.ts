import { randomUUID } from 'node:crypto';
import type { Plan } from '@signalbox/protocol';
import type { Operator } from '../lab/operator.ts';

/** Starts a plan. @returns the run's id once monitoring has heard that it is completed. */
export type RunToEnd = (plan: Plan) => Promise<string>;

/** One subscription for all runs, in place before the first of them begins. */
export async function runsToEnd(operator: Operator): Promise<RunToEnd> {
  const completed = new Set<string>();
  const waiting = new Map<string, () => void>();
  await operator.onStatus((subject, data) => {
    if (!subject.includes('.status.run.') || !Buffer.from(data).includes('"status":"completed"')) return;
    const run = subject.slice(subject.lastIndexOf('.') + 1);
    completed.add(run);
    waiting.get(run)?.();
  });
  return async (plan) => {
    const { run } = await operator.ask('start', {
      plan: JSON.stringify(plan),
      acceptDrift: false,
      start: randomUUID(),
    });
    // A short run may be over before its start is answered.
    if (!completed.has(run)) await new Promise<void>((resolve) => waiting.set(run, resolve));
    return run;
  };
}
