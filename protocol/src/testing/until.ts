import { setTimeout as sleep } from 'node:timers/promises';
import { SignalboxError } from '../failure.ts';

const POLL_MS = 20;

export interface UntilOptions {
  /** Default 25 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Between one look and the next; default 20 ms. For what can be heard of, or is dear to look at. */
  readonly pause?: () => Promise<unknown>;
}

/**
 * Waits for a condition of the real world. The only polling in tests: everything that can tell is listened to instead.
 * @returns what `look` returned first that is neither undefined nor false.
 * @throws Error that names `what`, when it did not come within `timeoutMs` (long: machines that test are busy).
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 25_000, signal, pause = () => sleep(POLL_MS) }: UntilOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${what}`);
    await pause();
  }
}

/** The code of the failure that a promise rejects with; anything else is thrown on. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SignalboxError) return error.code;
    throw error;
  }
  return 'no failure';
}
