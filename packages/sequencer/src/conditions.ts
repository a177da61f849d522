import type { Condition, GateStep } from '@signalbox/protocol';
import { resolveCondition } from './resolve.ts';
import type { RunState } from './state.ts';

/** What a gate asks of a host now: as planned, references filled in, with what operators have adjusted since. */
export function untilOf(state: RunState, leaf: GateStep, host: string | null): Condition {
  const planned = leaf.targets.find((target) => target.host === host)?.until ?? {};
  return mergeConditions(resolveCondition(state, planned), state.adjustments.get(leaf.id)?.until ?? {});
}

/** Comparison by comparison: `lagSeconds.atMost` may be changed without losing `lagSeconds.atLeast`. */
export function mergeConditions(base: Condition, over: Condition): Condition {
  const merged: Condition = { ...base };
  for (const [key, operators] of Object.entries(over)) merged[key] = { ...merged[key], ...operators };
  return merged;
}
