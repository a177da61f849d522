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

/** Keeps a daemon running, as `Restart=always` does: what ends is started again after a while. */
export class Kept {
  readonly name: string;
  readonly #service: Service;
  readonly #onExit: (code: number) => void;
  #awayMs = RESTART_MS;
  #waiting: (() => void)[] = [];
  #restarts = 0;
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

  get restarts(): number {
    return this.#restarts;
  }

  /** How long it stays away after its next end. */
  stayAway(ms: number): void {
    this.#awayMs = ms;
  }

  /** Resolves when it has been started again more often than `restarts`. */
  async restarted(restarts: number): Promise<void> {
    while (this.#restarts <= restarts) await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
      this.#restarts += 1;
      for (const resolve of this.#waiting.splice(0)) resolve();
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
