import type { Io } from '../io.ts';

export interface TestIo extends Io {
  readonly stdout: string;
  readonly stderr: string;
  /** As if Ctrl-C had been pressed. */
  interrupt(): void;
}

/** A terminal, or none, of which a test sees everything. `answers` are what a person types, in order. */
export function testIo(
  options: { env?: NodeJS.ProcessEnv; cwd?: string; isTerminal?: boolean; answers?: readonly string[] } = {},
): TestIo {
  const { env = {}, cwd = '/', isTerminal = false, answers } = options;
  const left = [...(answers ?? [])];
  const handlers = new Set<() => void>();
  let [stdout, stderr] = ['', ''];
  return {
    env,
    cwd,
    isTerminal,
    canAsk: answers !== undefined,
    columns: 100,
    rows: 50,
    stdin: process.stdin,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    nowMs: () => Date.now(),
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    ask: async () => left.shift(),
    askSecret: async () => left.shift(),
    onInterrupt(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    interrupt() {
      for (const handler of handlers) handler();
    },
  };
}
