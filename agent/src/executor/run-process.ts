import type { ExecOptions, ExecResult } from '@signalbox/protocol';
import { agentError } from '../codes.ts';
import type { Clock, ProcessGroup } from '../ports.ts';
import type { Started, Starter, Tree, Wanted } from './starter.ts';
import { openTail, type TailSource } from './tail.ts';

/** How often live output is looked for. */
const POLL_MS = 200;
const KILL_AFTER_MS = 5_000;
const TREE_LOOK_MS = 50;
const DEFAULT_KEEP_BYTES = 1_048_576;

export interface RunProcessOptions {
  clock: Clock;
  starter: Starter;
  /** What the action asked for; its `env` is part of `env` already. */
  exec: ExecOptions;
  env: Record<string, string>;
  signal: AbortSignal;
  /** Path of its files, see `Wanted`. */
  files: string;
  capBytes: number;
  /** Between asking its processes to end and ending them. Default 5 s. */
  killAfterMs?: number;
  /** Started by an agent before this one, so long ago: it is followed to its end, and nothing is started. */
  resumed?: { found: Started; elapsedMs: number } | undefined;
  onStarted?: (group: ProcessGroup) => void;
  onText?: ((stream: 'out' | 'err', text: string, lostBytes: number) => void) | undefined;
}

/**
 * Starts one process as the leader of a session and group of its own, with its output in files: it does not notice when
 * the agent goes away. Its time is measured on the monotonic clock; when it is over, or the execution is stopped, its
 * whole tree is ended.
 * @throws the signal's reason when the execution was stopped; SB-AGENT-UNIT, SB-AGENT-EXIT-LOST. A program that cannot be started is a
 * result.
 */
export async function runProcess(
  argv: readonly [string, ...string[]],
  options: RunProcessOptions,
): Promise<ExecResult> {
  const { signal, starter, exec, env, files, resumed } = options;
  if (resumed !== undefined) return await untilEnd(resumed.found, options);
  signal.throwIfAborted();
  const wanted: Wanted = { argv, env, cwd: exec.cwd, stdin: exec.stdin, files };
  const started = await starter.start(wanted);
  if (started.group !== undefined) options.onStarted?.(started.group);
  return await untilEnd(started, options);
}

/** Follows a process that was started to its end. */
async function untilEnd(started: Started, options: RunProcessOptions): Promise<ExecResult> {
  const { clock, signal } = options;
  const { timeoutMs } = options.exec;
  const out = tail('out', started.out);
  const err = tail('err', started.err);
  const ending = createEnding(clock, started.tree, options.killAfterMs ?? KILL_AFTER_MS);
  let timedOut = false;
  const onAbort = () => ending.begin();
  const onTimeout = () => {
    timedOut = true;
    ending.begin();
  };
  if (signal.aborted) ending.begin();
  signal.addEventListener('abort', onAbort, { once: true });
  const elapsedMs = options.resumed?.elapsedMs ?? 0;
  const cancelTimeout = timeoutMs === undefined ? () => {} : clock.after(Math.max(0, timeoutMs - elapsedMs), onTimeout);
  const stopPolling = every(clock, () => {
    out.poll();
    err.poll();
  });

  const exit = await started.exit;
  cancelTimeout();
  signal.removeEventListener('abort', onAbort);
  await ending.over();
  stopPolling();
  const [stdout, stderr] = [out.end(), err.end()];
  signal.throwIfAborted();
  if (exit.type === 'no-unit') throw agentError('SB-AGENT-UNIT', exit.reason);
  if (exit.type === 'lost') throw agentError('SB-AGENT-EXIT-LOST', exit.reason);
  return {
    exitCode: exit.type === 'exited' ? exit.exitCode : undefined,
    signal: exit.type === 'signalled' ? exit.signal : undefined,
    stdout,
    stderr: exit.type === 'not-started' ? `${stderr}${exit.reason}\n` : stderr,
    timedOut,
    durationMs: exit.type === 'not-started' ? 0 : exit.durationMs,
  };

  function tail(stream: 'out' | 'err', source: TailSource) {
    const { capBytes, exec, onText } = options;
    return openTail(source, {
      capBytes,
      keepBytes: exec.maxBytes ?? DEFAULT_KEEP_BYTES,
      resumed: options.resumed !== undefined,
      onText: onText && ((text, lost) => onText(stream, text, lost)),
    });
  }
}

/** Ends a tree: asks, waits, then insists. The leader's own end is not enough, its children may go on. */
function createEnding(clock: Clock, tree: Tree, killAfterMs: number) {
  let begun: Promise<void> | undefined;

  async function end(): Promise<void> {
    const insistAtMs = clock.monotonicMs() + killAfterMs;
    for (tree.askToEnd(); tree.isAlive(); ) {
      const nowMs = clock.monotonicMs();
      if (nowMs >= insistAtMs) tree.kill();
      else tree.askToEnd();
      // What the kernel does not let go of (a dead disk or mount) is not waited for.
      if (nowMs >= insistAtMs + 1_000) return;
      await new Promise<void>((resolve) => void clock.after(TREE_LOOK_MS, resolve));
    }
  }

  return {
    begin() {
      begun ??= end();
    },
    over: async () => begun,
  };
}

function every(clock: Clock, call: () => void): () => void {
  let cancel = clock.after(POLL_MS, tick);
  function tick(): void {
    call();
    cancel = clock.after(POLL_MS, tick);
  }
  return () => cancel();
}
