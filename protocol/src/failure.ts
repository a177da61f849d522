import { z } from 'zod';
import { Json } from './json.ts';
import { wire } from './wire.ts';

/**
 * What may be done after a failure; the class is the policy, nobody reads the message to decide.
 * `retryable`: the same thing may be tried again. `terminal`: trying again gives the same answer.
 * `unknown`: it may or may not have been done [I5].
 */
export type FailureClass = 'retryable' | 'terminal' | 'unknown';
export const FailureClass = z.enum(['retryable', 'terminal', 'unknown']);

/** A failure as it crosses the wire and stands in the run log. */
export type Failure = z.infer<typeof Failure>;
export const Failure = wire({
  code: z.string(),
  class: FailureClass,
  /** One plain sentence: what happened. */
  message: z.string(),
  /** What the person who reads this does next. */
  next: z.string(),
  details: z.record(z.string(), Json).optional(),
});

export interface CodeEntry {
  class: FailureClass;
  /** What the code means, for `signalbox explain` and the reference. */
  means: string;
  next: string;
}

/** One package's failure codes. Each package has one such catalogue; the reference is checked against all of them. */
export type CodeCatalogue = Readonly<Record<string, CodeEntry>>;

/** An error that carries a catalogued code. The only error that a program shows to a person or puts on the wire. */
export class SignalboxError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(`${failure.code}: ${failure.message}`, options);
    this.name = 'SignalboxError';
    this.failure = failure;
  }

  get code(): string {
    return this.failure.code;
  }
}

export interface FailOptions {
  next?: string;
  details?: Record<string, Json>;
  cause?: unknown;
}

/** Binds a catalogue, so that a package can only fail with codes that it documents. */
export function failWith<C extends CodeCatalogue>(catalogue: C) {
  return (code: keyof C & string, message: string, { next, details, cause }: FailOptions = {}): SignalboxError => {
    const entry = catalogue[code] as CodeEntry;
    const failure: Failure = { code, class: entry.class, message, next: next ?? entry.next };
    if (details) failure.details = details;
    return new SignalboxError(failure, cause === undefined ? undefined : { cause });
  };
}

/** The failure inside any thrown value; what is not ours becomes `fallback`, with the original message kept. */
export function toFailure(error: unknown, fallback: Omit<Failure, 'message'>): Failure {
  if (error instanceof SignalboxError) return error.failure;
  return { ...fallback, message: error instanceof Error ? error.message : String(error) };
}
