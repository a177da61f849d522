import type { Direction } from '@signalbox/protocol';
import type { Phase } from './state.ts';

/** What can happen to a step on a host. The direction is that of the event, not of the run. */
export type Trigger = 'dispatch' | 'wait' | 'succeed' | 'fail' | 'unknown' | 'skip' | 'reset' | 'cancel' | 'drop';

type Table = Readonly<Record<Phase, Readonly<Partial<Record<Trigger, Phase>>>>>;

/**
 * The state machine of a step on a host, whole. What is not in here cannot happen: `evolve` refuses a log that says so.
 *
 * Forward: pending -> (gated ->) dispatched -> succeeded | failed | unknown. A `gated` step waits for samples, people or
 * the proof of an exclusive resource; nothing has been done to its host yet. `unknown` is left only by knowledge: a late
 * report, the action's probe, or an operator [I5].
 */
const FORWARD: Table = {
  pending: {
    dispatch: 'dispatched',
    wait: 'gated',
    fail: 'failed',
    skip: 'skipped',
    reset: 'pending',
    drop: 'dropped',
  },
  gated: {
    dispatch: 'dispatched',
    wait: 'gated',
    succeed: 'succeeded',
    fail: 'failed',
    skip: 'skipped',
    reset: 'pending',
    cancel: 'pending',
    drop: 'dropped',
  },
  dispatched: { succeed: 'succeeded', fail: 'failed', unknown: 'unknown', reset: 'pending' },
  succeeded: { reset: 'pending' },
  failed: { reset: 'pending', skip: 'skipped', drop: 'dropped' },
  unknown: { succeed: 'succeeded', fail: 'failed', unknown: 'unknown', reset: 'pending' },
  compensating: {},
  compensated: { drop: 'compensated' },
  skipped: { drop: 'skipped' },
  dropped: {},
};

/** The way back, from whatever the way forward left: applied = not proven unapplied [I4]. */
const BACK: Table = {
  pending: { dispatch: 'compensating', wait: 'compensating', fail: 'failed', skip: 'compensated', reset: 'pending' },
  gated: { wait: 'compensating' },
  dispatched: {},
  succeeded: { dispatch: 'compensating', wait: 'compensating', fail: 'failed', skip: 'compensated' },
  failed: {
    dispatch: 'compensating',
    wait: 'compensating',
    fail: 'failed',
    skip: 'compensated',
    succeed: 'compensated',
    reset: 'pending',
  },
  unknown: {
    dispatch: 'compensating',
    wait: 'compensating',
    skip: 'compensated',
    succeed: 'compensated',
    fail: 'failed',
    unknown: 'unknown',
    reset: 'pending',
  },
  compensating: {
    dispatch: 'compensating',
    wait: 'compensating',
    succeed: 'compensated',
    fail: 'failed',
    unknown: 'unknown',
    skip: 'compensated',
    reset: 'pending',
  },
  compensated: {},
  skipped: {},
  dropped: {},
};

export function nextPhase(phase: Phase, trigger: Trigger, direction: Direction): Phase | undefined {
  return (direction === 'do' ? FORWARD : BACK)[phase][trigger];
}

export const TRANSITIONS: Readonly<Record<Direction, Table>> = { do: FORWARD, undo: BACK };
