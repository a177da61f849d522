import type { Failure } from '@signalbox/protocol';
import { agentError } from '../codes.ts';
import type { Clock } from '../ports.ts';

/** What the coordinators' clock can read at most, or why that cannot be said. */
export type TimeBound =
  | { type: 'bounded'; latestMs: number }
  | { type: 'unknown'; failure: Failure }
  | { type: 'apart'; failure: Failure };

/**
 * Knows how late it is for the coordinator [I7]. Each answered beat says what its clock read somewhere between sending and
 * receiving; from there on the monotonic clock counts, with an error that grows by the worst drift of a quartz. A wall
 * clock that jumps, or a machine that slept, shows as the two local clocks disagreeing, and the bound is dropped until the
 * next beat.
 *
 * A command's own `sentAtMs` is no substitute: it says how late it is at least, never at most. So the first command
 * after a start waits for the first answered beat.
 */
export interface MeshTime {
  learn(beat: { sentMonotonicMs: number; coordinatorNowMs: number }): void;
  bound(): TimeBound;
  /** The host's wall clock minus the coordinator's; undefined before the first answered beat. */
  skewMs(): number | undefined;
  /** Called after each `learn`. */
  onLearn(listener: () => void): void;
}

const DRIFT = 0.000_5;
/** More disagreement between the local clocks than slewing can explain. */
const JUMP_MS = 1_000;

interface Anchor {
  coordinatorMs: number;
  monotonicMs: number;
  wallMs: number;
  errorMs: number;
}

export function createMeshTime(clock: Clock, { maxSkewMs }: { maxSkewMs: number }): MeshTime {
  const listeners: (() => void)[] = [];
  let anchor: Anchor | undefined;

  function current(): { latestMs: number; skewMs: number; errorMs: number; jumpedMs: number } | undefined {
    if (anchor === undefined) return undefined;
    const elapsedMs = clock.monotonicMs() - anchor.monotonicMs;
    const errorMs = anchor.errorMs + elapsedMs * DRIFT;
    const coordinatorMs = anchor.coordinatorMs + elapsedMs;
    const jumpedMs = Math.abs(clock.nowMs() - anchor.wallMs - elapsedMs);
    return { latestMs: coordinatorMs + errorMs, skewMs: clock.nowMs() - coordinatorMs, errorMs, jumpedMs };
  }

  return {
    learn({ sentMonotonicMs, coordinatorNowMs }) {
      const monotonicMs = clock.monotonicMs();
      const errorMs = (monotonicMs - sentMonotonicMs) / 2;
      anchor = { coordinatorMs: coordinatorNowMs + errorMs, monotonicMs, wallMs: clock.nowMs(), errorMs };
      for (const listener of listeners) listener();
    },
    bound() {
      const now = current();
      if (now === undefined) return { type: 'unknown', failure: unknownTime('no coordinator has answered a beat yet') };
      const { errorMs, jumpedMs, skewMs, latestMs } = now;
      if (jumpedMs > JUMP_MS) return { type: 'unknown', failure: unknownTime(`the clock jumped by ${ms(jumpedMs)}`) };
      if (errorMs > maxSkewMs) return { type: 'unknown', failure: unknownTime('no beat was answered for too long') };
      if (Math.abs(skewMs) > maxSkewMs) {
        const text = `the clock is ${ms(skewMs)} from the coordinator's; the most is ${ms(maxSkewMs)}`;
        return { type: 'apart', failure: agentError('SB-CLOCK', text, { details: { skewMs } }).failure };
      }
      return { type: 'bounded', latestMs };
    },
    skewMs: () => current()?.skewMs,
    onLearn: (listener) => void listeners.push(listener),
  };
}

function unknownTime(why: string): Failure {
  return agentError('SB-CLOCK', `the coordinator's time is not known: ${why}`).failure;
}

const ms = (value: number): string => `${Math.round(value)} ms`;
