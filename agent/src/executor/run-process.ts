import { join } from 'node:path';
import type { ExecOptions, ExecResult } from '@signalbox/protocol';
import type { Clock, ProcessGroup } from '../ports.ts';
import { signalGroup, statOf } from './processes.ts';
import { openTail } from './tail.ts';

/** How often live output is looked for. */
const POLL_MS = 200;
const KILL_AFTER_MS = 5_000;
const GROUP_LOOK_MS = 50;
const DEFAULT_KEEP_BYTES = 1_048_576;

export interface RunProcessOptions {
  clock: Clock;
  /** What the action asked for; its `env` is part of `env` already. */
  exec: ExecOptions;
  env: Record<string, string>;
  signal: AbortSignal;
  /** Where the output goes, without `.out` and `.err`. */
  files: { folder: string; name: string; unnamed: boolean };
  capBytes: number;
  /** Between asking the group to end and ending it. Default 5 s. */
  killAfterMs?: number;
  onStarted?: (group: ProcessGroup) => void;
  onText?: ((stream: 'out' | 'err', text: string, lostBytes: number) => void) | undefined;
}

/**
 * Starts one process as the leader of a session and group of its own, with its output in files: it does not notice when
 * the agent goes away. Its time is measured on the monotonic clock; when it is over, or the execution is stopped, the
 * whole group is ended.
 * @throws the signal's reason when the execution was stopped; a program that cannot be started is a result.
 */
export async function runProcess(
  argv: readonly [string, ...string[]],
  options: RunProcessOptions,
): Promise<ExecResult> {
  const { clock, env, signal, onStarted, onText } = options;
  const { cwd, stdin, timeoutMs } = options.exec;
  // Loaded by the first step: an idle agent is light.
  const { execa } = await import('execa');
  signal.throwIfAborted();
  const [file, ...args] = argv;
  const out = tail('out', options);
  const err = tail('err', options);
  const startMs = clock.monotonicMs();
  const child = execa(file, args, {
    detached: true,
    // Time, group and output are ours: the process must be able to outlive this one.
    cleanup: false,
    buffer: false,
    reject: false,
    extendEnv: false,
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(stdin === undefined ? { stdin: 'ignore' as const } : { input: stdin }),
    stdout: descriptor(out.fd),
    stderr: descriptor(err.fd),
  });
  const group = child.pid;
  if (group !== undefined) onStarted?.({ pid: group, startTicks: statOf(group)?.startTicks });

  const ending = createEnding(clock, group, options.killAfterMs ?? KILL_AFTER_MS);
  let timedOut = false;
  const onAbort = () => ending.begin();
  const onTimeout = () => {
    timedOut = true;
    ending.begin();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const cancelTimeout = timeoutMs === undefined ? () => {} : clock.after(timeoutMs, onTimeout);
  const stopPolling = every(clock, () => {
    out.poll();
    err.poll();
  });

  const exit = await child;
  cancelTimeout();
  signal.removeEventListener('abort', onAbort);
  await ending.over();
  stopPolling();
  const [stdout, stderr] = [out.end(), err.end()];
  signal.throwIfAborted();
  return {
    exitCode: exit.exitCode,
    signal: exit.signal,
    stdout,
    stderr: group === undefined ? `${stderr}${exit.originalMessage ?? 'not started'}\n` : stderr,
    timedOut,
    durationMs: clock.monotonicMs() - startMs,
  };

  function tail(stream: 'out' | 'err', { files, capBytes, exec }: RunProcessOptions) {
    return openTail(join(files.folder, `${files.name}.${stream}`), {
      capBytes,
      keepBytes: exec.maxBytes ?? DEFAULT_KEEP_BYTES,
      unnamed: files.unnamed,
      onText: onText && ((text, lost) => onText(stream, text, lost)),
    });
  }
}

/** execa takes any open descriptor and hands it on as it is; its types name only the first few. */
function descriptor(fd: number): 3 {
  return fd as 3;
}

/** Ends a process group: asks, waits, then insists. The leader's own end is not enough, its children may go on. */
function createEnding(clock: Clock, group: number | undefined, killAfterMs: number) {
  let begun: Promise<void> | undefined;

  async function end(pid: number): Promise<void> {
    signalGroup(pid, 'SIGTERM');
    const insistAtMs = clock.monotonicMs() + killAfterMs;
    while (signalGroup(pid, 0)) {
      const nowMs = clock.monotonicMs();
      if (nowMs >= insistAtMs) signalGroup(pid, 'SIGKILL');
      // A killed process that nobody reaps still counts as a member.
      if (nowMs >= insistAtMs + 1_000) return;
      await new Promise<void>((resolve) => void clock.after(GROUP_LOOK_MS, resolve));
    }
  }

  return {
    begin() {
      if (group !== undefined) begun ??= end(group);
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
