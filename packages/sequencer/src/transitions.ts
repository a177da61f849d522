import type { Direction } from '@signalbox/protocol';
import type { Phase } from './cell.ts';

/** What can happen to a step on a host. The direction is that of the event, not of the run. */
export type Trigger = 'dispatch' | 'wait' | 'succeed' | 'fail' | 'unknown' | 'skip' | 'reset' | 'cancel' | 'drop';

type Table = Readonly<Record<Phase, Readonly<Partial<Record<Trigger, Phase>>>>>;

/**
 * The state machine of a step on a host, whole. What is not in here cannot happen: `evolve` refuses a log that says so.
 *
 * Forward: pending -> (gated ->) dispatched -> succeeded | failed | unknown. A `gated` step waits for samples, people or
 * the proof of an exclusive resource; nothing has been done to its host yet. `unknown` is left only by knowledge: a late
 * report, the action's probe, or an operator [I5]. `cancel` is the run turning round, `drop` a host being left out.
 */
const FORWARD: Table = {
  // `fail` without a start: a reference that has no value.
  pending: { dispatch: 'dispatched', wait: 'gated', fail: 'failed', skip: 'skipped', drop: 'dropped' },
  gated: {
    dispatch: 'dispatched', // the exclusive resource is proven stopped elsewhere
    wait: 'gated', // approved: now the guards are asked
    succeed: 'succeeded',
    fail: 'failed',
    skip: 'skipped',
    reset: 'pending',
    cancel: 'pending',
    drop: 'dropped',
  },
  dispatched: { succeed: 'succeeded', fail: 'failed', unknown: 'unknown', reset: 'pending' },
  // `succeed` again: the host's report agrees with what an operator has declared, and brings the receipt.
  succeeded: { succeed: 'succeeded', reset: 'pending' },
  failed: { reset: 'pending', skip: 'skipped' },
  unknown: { succeed: 'succeeded', fail: 'failed', unknown: 'unknown', reset: 'pending' },
  compensating: {},
  compensated: {},
  skipped: {},
  dropped: {},
};

/** The way back, from whatever the way forward left: applied = not proven unapplied [I4]. */
const BACK: Table = {
  pending: { dispatch: 'compensating', wait: 'compensating', fail: 'failed', skip: 'compensated', drop: 'dropped' },
  gated: { wait: 'compensating' }, // a person may have begun a manual step
  dispatched: {},
  succeeded: { dispatch: 'compensating', wait: 'compensating', fail: 'failed' },
  failed: {
    dispatch: 'compensating',
    wait: 'compensating',
    fail: 'failed',
    succeed: 'compensated',
    skip: 'compensated',
    reset: 'pending',
  },
  unknown: {
    dispatch: 'compensating',
    wait: 'compensating',
    fail: 'failed',
    succeed: 'compensated',
    unknown: 'unknown',
    skip: 'compensated',
    reset: 'pending',
  },
  compensating: {
    dispatch: 'compensating',
    succeed: 'compensated',
    fail: 'failed',
    unknown: 'unknown',
    skip: 'compensated',
    reset: 'pending',
  },
  // Declared undone, and the host's report says otherwise: an operator may have it done again.
  compensated: { reset: 'pending' },
  skipped: { dispatch: 'compensating', wait: 'compensating', fail: 'failed' },
  dropped: {},
};

export const TRANSITIONS: Readonly<Record<Direction, Table>> = { do: FORWARD, undo: BACK };

export function nextPhase(phase: Phase, trigger: Trigger, direction: Direction): Phase | undefined {
  return TRANSITIONS[direction][phase][trigger];
}
