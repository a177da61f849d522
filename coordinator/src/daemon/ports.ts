import type { CoordinatorBus } from '@signalbox/bus';
import type { Signer } from '@signalbox/protocol/crypto';
import type { Logger } from 'pino';

/** Time, as a port: a simulator has its own. */
export interface Clock {
  /** Wall clock, epoch milliseconds: for people and for what crosses hosts. */
  wallMs(): number;
  /** Never jumps: for everything that is measured. */
  monotonicMs(): number;
  /** Calls back once; the answer cancels. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
    return () => clearTimeout(timer);
  },
};

/** What every part of the daemon may use. Made once, in main.ts. */
export interface Ports {
  readonly mesh: string;
  readonly name: string;
  readonly bus: CoordinatorBus;
  readonly signer: Signer;
  readonly clock: Clock;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** A name that nobody has had before: nonces of leaders and of questions. */
  readonly newId: () => string;
  readonly log: Logger;
}
