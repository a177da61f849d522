import { spawn } from 'node:child_process';
import type { ExecOptions, ExecResult, HostContext } from '@signalbox/protocol';
import type { Sandbox } from './sandbox.ts';

/** What an agent on that host would give to an action, for tests that need no mesh. */
export function hostContext(sandbox: Sandbox, executionId: string): HostContext {
  const { signal } = new AbortController();
  return {
    host: sandbox.name,
    labels: sandbox.labels,
    path: sandbox.path,
    executionId,
    signal,
    exec: (argv, options = {}) => run(argv, options, { PATH: sandbox.path, SIGNALBOX_COMMAND_ID: executionId }),
    print: () => {},
    secret: async () => {
      throw new Error('a sandbox has no secrets');
    },
    nowMs: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}

function run(
  [program, ...args]: readonly [string, ...string[]],
  { cwd, env, timeoutMs }: ExecOptions,
  base: Record<string, string>,
): Promise<ExecResult> {
  const startedAtMs = performance.now();
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    env: { ...base, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const text = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (chunk: string) => {
      text[stream] += chunk;
    });
  }
  return new Promise((resolve) => {
    const end = (exitCode: number | undefined, signal: string | undefined) =>
      resolve({ ...text, exitCode, signal, timedOut: false, durationMs: performance.now() - startedAtMs });
    child.once('error', () => end(undefined, undefined));
    child.once('close', (code, signal) => end(code ?? undefined, signal ?? undefined));
  });
}
