import type { JournalStorage } from '@signalbox/agent';
import type { Life } from './life.ts';
import type { Chance } from './random.ts';

/**
 * The disk of a host, with one file: an agent's journal. What was appended survives a crash of the agent, because the
 * system has it; only what was synced survives a crash of the host, and of the rest a part may, torn anywhere.
 */
export class Disk {
  readonly #chance: Chance;
  #text = '';
  #synced = 0;
  /** Counts crashes: what the disk was still doing is not done any more. */
  #crashes = 0;
  full = false;
  /** Told of each line when an agent writes it, whatever becomes of it. */
  onWritten: (line: string) => void = () => {};
  /** Told of each whole line that the agent may rely on from now on. */
  onDurable: (line: string) => void = () => {};

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  get text(): string {
    return this.#text;
  }

  /** The host lost power. */
  crash(): void {
    const kept = this.#synced + this.#chance.between(0, this.#text.length - this.#synced);
    this.#text = this.#text.slice(0, kept);
    this.#settle(this.#text.lastIndexOf('\n') + 1);
    this.#synced = kept;
    this.#crashes += 1;
  }

  /** Another content, as from an image: nothing of it is written by an agent of this host. */
  put(text: string): void {
    this.#text = text;
    this.#synced = text.length;
    this.#crashes += 1;
  }

  /** The journal's storage for one agent process. Its lines are ASCII: length in characters is length in bytes. */
  storage(life: Life): JournalStorage {
    return {
      read: () => Buffer.from(this.#text),
      append: (text) => {
        life.mustBeAlive();
        if (this.full) throw new Error('ENOSPC: no space left on device');
        this.#text += text;
        this.onWritten(text);
      },
      sync: () =>
        life.promise((resolve, reject) => {
          const [upTo, crashes] = [this.#text.length, this.#crashes];
          const ms = this.#chance.hits(0.02) ? this.#chance.between(200, 3_000) : this.#chance.between(1, 4);
          // The disk does its work also when the process that asked is gone.
          life.timeline.in(ms, () => {
            if (crashes !== this.#crashes) return;
            if (this.full && this.#chance.hits(0.5)) return reject(new Error('EIO: fsync failed'));
            this.#settle(Math.min(upTo, this.#text.length));
            resolve();
          });
        }),
      truncate: (bytes) => {
        life.mustBeAlive();
        this.#text = this.#text.slice(0, bytes);
        this.#synced = this.#text.length;
      },
      replace: (text) => {
        life.mustBeAlive();
        this.#text = text;
        this.#synced = text.length;
      },
      close: () => {},
    };
  }

  #settle(upTo: number): void {
    if (upTo <= this.#synced) return;
    const fresh = this.#text.slice(this.#synced, upTo);
    this.#synced = upTo;
    for (const line of fresh.split('\n')) if (line !== '') this.onDurable(line);
  }
}
