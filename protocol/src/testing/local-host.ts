import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ExecOptions, ExecResult, HostContext } from '../host.ts';
import type { SecretRef } from '../secret.ts';

/**
 * A real HostContext for tests: real processes and files, in a folder of its own. Its PATH begins with `bin/`, where a
 * test puts the programs that this host has. Everything it started and wrote ends with it (`await using`).
 */
export class LocalHost implements HostContext, AsyncDisposable {
  readonly host = 'test-host';
  readonly labels = {};
  readonly executionId: string = 'run-1-step-do-1';
  readonly printed: string[] = [];
  /** Every argv that was started, in order: what a test counts. */
  readonly started: string[][] = [];
  readonly secrets = new Map<string, string>();
  readonly dir: string;
  readonly path: string;
  private readonly stopper = new AbortController();

  private constructor(dir: string) {
    this.dir = dir;
    this.path = `${join(dir, 'bin')}:${process.env.PATH ?? '/usr/bin:/bin'}`;
  }

  static async create(): Promise<LocalHost> {
    const dir = await mkdtemp(join(tmpdir(), 'signalbox-host-'));
    await mkdir(join(dir, 'bin'));
    return new LocalHost(dir);
  }

  get signal(): AbortSignal {
    return this.stopper.signal;
  }

  /** The same host, for another execution: an undo, or a second attempt. */
  as(executionId: string): LocalHost {
    return Object.create(this, { executionId: { value: executionId } }) as LocalHost;
  }

  /** The same host with a clock that only sleeping moves: waiting for minutes takes no time. */
  withFastClock(): LocalHost {
    let nowMs = Date.now();
    const sleep = async (ms: number) => {
      nowMs += ms;
    };
    return Object.create(this, { nowMs: { value: () => nowMs }, sleep: { value: sleep } }) as LocalHost;
  }

  /** What an agent does when a step's time is over. */
  abort(): void {
    this.stopper.abort();
  }

  file(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  async write(path: string, text: string, mode = 0o644): Promise<string> {
    const at = this.file(path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, text);
    await chmod(at, mode);
    return at;
  }

  /** Puts a program (a POSIX shell script) on this host's PATH. */
  program(name: string, body: string): Promise<string> {
    return this.write(join('bin', name), `#!/bin/sh\n${body}\n`, 0o755);
  }

  exec(argv: readonly [string, ...string[]], options: ExecOptions = {}): Promise<ExecResult> {
    this.started.push([...argv]);
    const [program, ...args] = argv;
    const begun = performance.now();
    return new Promise((resolve) => {
      const child = spawn(program, args, {
        cwd: options.cwd ?? this.dir,
        env: { HOME: this.dir, LC_ALL: 'C', PATH: this.path, ...options.env },
        stdio: ['pipe', 'pipe', 'pipe'],
        signal: this.signal,
        ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.stdin.on('error', () => undefined).end(options.stdin ?? '');
      const ended = (exitCode: number | null, signal: string | null, why = '') =>
        resolve({
          exitCode: exitCode ?? undefined,
          signal: signal ?? undefined,
          stdout,
          stderr: stderr + why,
          timedOut: child.killed && !this.signal.aborted,
          durationMs: performance.now() - begun,
        });
      child.on('error', (error) => ended(null, null, error.message));
      child.on('close', (code, signal) => ended(code, signal));
    });
  }

  print(line: string): void {
    this.printed.push(line);
  }

  async secret(ref: SecretRef): Promise<string> {
    const value = this.secrets.get(ref.$secret);
    if (value === undefined) throw new Error(`no secret ${ref.$secret}`);
    return value;
  }

  nowMs(): number {
    return Date.now();
  }

  sleep(ms: number): Promise<void> {
    return setTimeout(ms, undefined, { signal: this.signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort();
    await rm(this.dir, { recursive: true, force: true });
  }
}
