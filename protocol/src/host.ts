import type { Json } from './json.ts';
import type { SecretRef } from './secret.ts';

/** How a process ended. Exactly one of `exitCode` and `signal` is set, unless it was never started. */
export interface ExecResult {
  exitCode: number | undefined;
  signal: string | undefined;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  durationMs: number;
}

export interface ExecOptions {
  cwd?: string;
  /** Added to the agent's own, reduced environment. */
  env?: Record<string, string>;
  stdin?: string;
  timeoutMs?: number;
  /** How much of each stream is kept in memory for the caller; the rest is in the step's output. Default 1 MiB. */
  maxBytes?: number;
  /** Quiet processes (status queries) are not copied into the step's output. */
  quiet?: boolean;
}

/**
 * What an action or a probe may use of its host. Small on purpose: it is all that a test must provide, and all that a
 * policy must watch.
 */
export interface HostContext {
  readonly host: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The PATH that processes get; absent: the agent's own. */
  readonly path?: string;
  /** Unique name of this execution, safe in a file name; backups are named after it, never after the time. */
  readonly executionId: string;
  /** Aborted when the step's time is over or the agent must stop it. */
  readonly signal: AbortSignal;
  /** Starts a process from argv; never through a shell. A non-zero exit is a result, not an error. */
  exec(argv: readonly [string, ...string[]], options?: ExecOptions): Promise<ExecResult>;
  /** One line into the step's output. */
  print(line: string): void;
  /** Reads a secret on this host; the value must not leave the action. */
  secret(ref: SecretRef): Promise<string>;
  nowMs(): number;
  /** Resolves after `ms` or rejects when `signal` aborts. */
  sleep(ms: number): Promise<void>;
}

export type Values = Record<string, Json>;
