import { until } from '@signalbox/protocol/testing';

/** What a service manager is told about a daemon. */
export interface Service {
  readonly name: string;
  /** Rejects when it could not be started; it is tried again. */
  readonly start: () => Promise<void>;
  /** Resolves when the process that runs now has ended: its exit code, or null when a signal ended it. */
  readonly ended: () => Promise<number | null>;
  readonly pid: () => number;
}

const RESTART_MS = 300;
/** A stop in good order may take an agent its twenty seconds. */
const STOP_MS = 30_000;
const COME_BACK_MS = 60_000;

/** Keeps a daemon running, as `Restart=always` does: what ends is started again after a while. */
export class Kept {
  readonly name: string;
  readonly #service: Service;
  readonly #onExit: (code: number) => void;
  #awayMs = RESTART_MS;
  #up = true;
  #leaving = false;

  /** The daemon runs already. `onExit` hears of ends by an error of its own. */
  constructor(service: Service, onExit: (name: string, code: number) => void) {
    this.name = service.name;
    this.#service = service;
    this.#onExit = (code) => onExit(service.name, code);
    void this.#keep();
  }

  get pid(): number | undefined {
    return this.#up ? this.#service.pid() : undefined;
  }

  /** How long it stays away after its next end. */
  stayAway(ms: number): void {
    this.#awayMs = ms;
  }

  /** Resolves when another process than this one runs. */
  async replaced(pid: number): Promise<void> {
    const another = () => this.pid !== undefined && this.pid !== pid;
    await until(`another ${this.name} than ${pid}`, another, { timeoutMs: COME_BACK_MS });
  }

  /** The process that runs, or is about to be started. */
  running(): Promise<number> {
    return until(`${this.name} to run`, () => this.pid, { timeoutMs: COME_BACK_MS });
  }

  /** As an operator restarts it: what does not end in good order is killed, as after `TimeoutStopSec=`. */
  async restart(): Promise<void> {
    const pid = await this.running();
    send(pid, 'SIGTERM');
    const timer = setTimeout(() => send(pid, 'SIGKILL'), STOP_MS);
    await this.replaced(pid).finally(() => clearTimeout(timer));
  }

  /** From here on it is left as it is. */
  leave(): void {
    this.#leaving = true;
  }

  async #keep(): Promise<void> {
    for (;;) {
      const code = await this.#service.ended();
      if (this.#leaving) return;
      this.#up = false;
      if (code !== null && code !== 0) this.#onExit(code);
      await pause(this.#awayMs);
      this.#awayMs = RESTART_MS;
      await this.#startAgain();
      if (this.#leaving) return;
      this.#up = true;
    }
  }

  async #startAgain(): Promise<void> {
    for (;;) {
      if (this.#leaving) return;
      try {
        return await this.#service.start();
      } catch {
        await pause(RESTART_MS);
      }
    }
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Whoever has ended in this very moment needs no signal. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
