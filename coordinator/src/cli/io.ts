import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** What the CLI uses of its process, so that a test can stand in for a terminal. */
export interface Io {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Both ends are a terminal: a person can be asked. */
  readonly canAsk: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly stdin: NodeJS.ReadStream;
  nowMs(): number;
  out(text: string): void;
  err(text: string): void;
  /** Asks a person; undefined when nobody can be asked or the input ended. */
  ask(question: string): Promise<string | undefined>;
  /** The same with what is typed unseen; also where the output goes elsewhere. */
  askSecret(question: string): Promise<string | undefined>;
  /** Called once at SIGINT or SIGTERM; the returned function takes it back. */
  onInterrupt(handler: () => void): () => void;
}

export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  const isTerminal = stdout.isTTY === true;
  const canAsk = isTerminal && stdin.isTTY === true;
  return {
    env,
    cwd: process.cwd(),
    isTerminal,
    canAsk,
    stdin,
    get columns() {
      return stdout.columns ?? 100;
    },
    get rows() {
      return stdout.rows ?? 40;
    },
    nowMs: () => Date.now(),
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    async ask(question) {
      if (!canAsk) return undefined;
      const lines = createInterface({ input: stdin, output: stdout });
      try {
        // The interface swallows Ctrl-C; an interrupted question is one without an answer.
        return await new Promise<string | undefined>((resolve) => {
          lines.once('SIGINT', () => resolve(undefined));
          lines.once('close', () => resolve(undefined));
          lines.question(question).then(resolve, () => resolve(undefined));
        });
      } finally {
        lines.close();
      }
    },
    async askSecret(question) {
      if (stdin.isTTY !== true || stderr.isTTY !== true) return undefined;
      stderr.write(question);
      const nothing = new Writable({ write: (_chunk, _encoding, done) => done() });
      const lines = createInterface({ input: stdin, output: nothing, terminal: true });
      try {
        return await new Promise<string | undefined>((resolve) => {
          lines.once('SIGINT', () => resolve(undefined));
          lines.once('close', () => resolve(undefined));
          lines.question('').then(resolve, () => resolve(undefined));
        });
      } finally {
        lines.close();
        stderr.write('\n');
      }
    },
    onInterrupt(handler) {
      process.once('SIGINT', handler);
      process.once('SIGTERM', handler);
      return () => {
        process.off('SIGINT', handler);
        process.off('SIGTERM', handler);
      };
    },
  };
}
