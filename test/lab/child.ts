import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Janitor } from './janitor.ts';

/** What a program said, and how it ended. */
export interface Said {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface TalkOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Given on standard input. */
  readonly input?: string;
  /** Ended with SIGKILL after this time; the exit code is then -1. Default 60 s. */
  readonly timeoutMs?: number;
  /** Ends it with whoever started it. */
  readonly janitor?: Janitor;
}

/** Runs a Node program to its end. */
export async function sayTo(argv: readonly string[], options: TalkOptions = {}): Promise<Said> {
  const { env, cwd, input, timeoutMs = 60_000, janitor } = options;
  const child = spawn(process.execPath, argv, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  janitor?.adopt(argv.join(' '), child);
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  clearTimeout(timer);
  return { stdout, stderr, exitCode: code ?? -1 };
}

/** A program that goes on; its lines as they come. */
export interface Talk {
  readonly child: ChildProcess;
  readonly lines: Interface;
}

export function talkTo(argv: readonly string[]): Talk {
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'ignore'] });
  return { child, lines: createInterface({ input: child.stdout }) };
}
