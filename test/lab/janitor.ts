import type { ChildProcess } from 'node:child_process';

const POLITE_MS = 3_000;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** What a shell says of a program whose reader went away, as with `| head`: SIGPIPE, which Node ignores. */
const UNREAD = 141;

interface Charge {
  name: string;
  end: () => Promise<void>;
  /** Without waiting for anything; for the moment when the process is on its way out. */
  endNow?: () => void;
}

/**
 * Ends what it was given, newest first, however this process ends: by `sweep`, by Ctrl-C and its like, or by an exception
 * that nobody caught. Each process by its own pid, while it is still known to be ours.
 */
export class Janitor {
  readonly #charges: Charge[] = [];
  readonly #exitNow = () => {
    for (const { endNow } of this.#charges.toReversed()) endNow?.();
  };
  readonly #handlers = new Map<keyof typeof SIGNALS, () => void>();
  #sweeping: Promise<void> | undefined;

  constructor() {
    process.once('exit', this.#exitNow);
  }

  /** Takes over the process's signals: on the first one, or when nobody reads on, sweeps and exits with the shell's number for it. */
  onSignals(before: () => void = () => {}): void {
    for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]) {
      const handler = () => {
        if (this.#sweeping) return;
        before();
        this.sweep().finally(() => process.exit(SIGNALS[signal]));
      };
      this.#handlers.set(signal, handler);
      process.on(signal, handler);
    }
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (!this.#sweeping) this.sweep().finally(() => process.exit(UNREAD));
    });
  }

  /** @returns a way to have it ended early. What comes while the sweep is under way is ended at once. */
  add(name: string, end: () => Promise<void>, endNow?: () => void): () => Promise<void> {
    return this.#take({ name, end, ...(endNow ? { endNow } : {}) });
  }

  /** A process that ends by itself is forgotten. */
  adopt(name: string, child: ChildProcess): () => Promise<void> {
    const charge: Charge = { name, end: () => endProcess(child), endNow: () => child.kill('SIGKILL') };
    child.once('exit', () => this.#forget(charge));
    return this.#take(charge);
  }

  #take(charge: Charge): () => Promise<void> {
    this.#charges.push(charge);
    if (this.#sweeping) charge.endNow?.();
    return () => this.#end(charge);
  }

  #forget(charge: Charge): void {
    const at = this.#charges.indexOf(charge);
    if (at >= 0) this.#charges.splice(at, 1);
  }

  /** What fails from now on, fails because it is ended. */
  get isSweeping(): boolean {
    return this.#sweeping !== undefined;
  }

  /** Idempotent. Goes on when something cannot be ended, and says so at the end. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweepAll();
    return this.#sweeping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sweep();
  }

  async #sweepAll(): Promise<void> {
    const failures: unknown[] = [];
    // Newest first, and whatever comes while others are being ended.
    for (let charge = this.#charges.at(-1); charge; charge = this.#charges.at(-1)) {
      const { name } = charge;
      await this.#end(charge).catch((cause: unknown) =>
        failures.push(new Error(`${name} could not be ended`, { cause })),
      );
      this.#forget(charge);
    }
    process.off('exit', this.#exitNow);
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
    if (failures.length > 0) throw new AggregateError(failures, 'some of what was started could not be ended');
  }

  async #end(charge: Charge): Promise<void> {
    if (!this.#charges.includes(charge)) return;
    await charge.end();
    this.#forget(charge);
  }
}

/** Asks, waits, and then does not ask. Resolves when the process has ended. */
export async function endProcess(child: ChildProcess, politeMs = POLITE_MS): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), politeMs);
  await ended;
  clearTimeout(timer);
}

export const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;
