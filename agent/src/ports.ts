import type { Action } from '@signalbox/actions';
import type { Probe } from '@signalbox/probes';
import type { Direction, Failure, HostContext, Json } from '@signalbox/protocol';
import type { Policy } from './policy/policy.ts';

/**
 * What the agent needs of the world, beside the bus (`AgentBus`). Small, so that a simulated world can stand behind it:
 * nothing in `loop/` or `journal/` knows which one it has.
 */

export interface Clock {
  /** Wall clock, epoch milliseconds. May jump. */
  nowMs(): number;
  /** Never goes backward, and is the same in all processes of one boot of the host. */
  monotonicMs(): number;
  /** Calls once after `ms` of the monotonic clock, unless cancelled. */
  after(ms: number, call: () => void): Cancel;
}
export type Cancel = () => void;

export interface Random {
  uuid(): string;
  /** At least 0, below 1. */
  fraction(): number;
}

/** The bytes of a journal. One process at a time; whoever opens it holds the state folder's lock. */
export interface JournalStorage {
  read(): Uint8Array;
  /** Hands the text to the system, in order; on disk only after `sync`. @throws when the disk is full or broken. */
  append(text: string): void;
  /** Resolves when everything appended before the call is on disk. */
  sync(): Promise<void>;
  /** Cuts off everything after `bytes`, on disk when it returns. */
  truncate(bytes: number): void;
  /** Replaces the whole content at once: after a crash it is either the old or the new one. */
  replace(text: string): void;
  close(): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string, fields?: Record<string, unknown>) => void;

/** What this agent can do and measure. */
export interface Toolbox {
  readonly actionByName: (name: string) => Action | undefined;
  readonly probeByName: (name: string) => Probe | undefined;
  readonly policy: Policy;
  /** `name@version`, for health. */
  readonly actions: readonly string[];
  readonly probes: readonly string[];
}

/** A process group that an execution started, as the journal remembers it. */
export interface ProcessGroup {
  pid: number;
  /** Start of the process in clock ticks since boot: tells it from a later process with the same number. */
  startTicks: string | undefined;
}

/** What an execution is for. A query has no command: it leaves no output and no record. */
export interface ExecutionRequest {
  executionId: string;
  signal: AbortSignal;
  command?: { id: string; run: string; step: string; direction: Direction } | undefined;
  /** Told before a process is started and again with its group, so that a crash in between is seen. */
  onProcess?: (child: number, process: ProcessNote) => void;
  /**
   * What an agent before this one had started for the same command, in order. It is not started again: the action is
   * called anew, and is given what came of these.
   */
  earlier?: readonly EarlierProcess[] | undefined;
}

/** A process of an execution, as the journal remembers it. */
export interface ProcessNote {
  /** Undefined while it is only about to start. */
  group?: ProcessGroup | undefined;
  /** Fingerprint of what was asked for; undefined for a quiet process, which changes nothing. */
  asked?: string | undefined;
}

export interface EarlierProcess extends ProcessNote {
  child: number;
  /** When it was asked for, on the clock of this boot. */
  monotonicMs: number;
}

export interface Execution {
  readonly context: HostContext;
  /** Replaces the values of secrets that this agent has read [I9]. */
  redact<T>(value: T): T;
  /**
   * Ends what is still running, publishes the rest of the output. `diverged`: the action did not do again what it had
   * done before the restart, so what it returned says nothing. Nothing was started in that case.
   */
  close(): Promise<{ outputBytes: number; diverged?: boolean }>;
}

/** Where actions and probes touch the host. */
export interface Workbench {
  open(request: ExecutionRequest): Execution;
  /**
   * Groups of an interrupted execution that still have a living process. `uncertain` are children that were about to be
   * started when the agent died; then also those that only the command's mark or a unit of the execution tells.
   */
  survivors(
    command: { id: string; executionId: string },
    groups: readonly ProcessGroup[],
    uncertain: boolean,
  ): Promise<ProcessGroup[]>;
  killGroup(group: ProcessGroup): void;
  /** Removes the files that a run's executions left in the state folder. */
  discard(run: string): void;
}

/** How the host is: facts and load for health, and whether it is about to be no more. */
export interface HostReader {
  facts(): Promise<Record<string, Json>>;
  load(): { cpuPercent?: number; memoryPercent?: number; agentRssBytes: number };
  /** Whether it is being shut down or rebooted. False where nobody can say. */
  goingDown(): Promise<boolean>;
}

/** Who this agent is: the names that its journal, commands and reports must agree on. */
export interface Identity {
  mesh: string;
  host: string;
  labels: Readonly<Record<string, string>>;
  machine: string;
  boot: string;
  /** One start of one agent process. */
  instance: string;
  version: string;
}

/** Collects what went wrong and has no report, for the log and the next beat. */
export type NoteProblem = (failure: Failure, fields?: Record<string, unknown>) => void;
