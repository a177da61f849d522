import { createHash } from 'node:crypto';

/** A copy of a message that came out of the stream and that the stream waits to hear about. */
export interface StoredCopy {
  ack(): void;
  terminate(): void;
  working(): void;
  /** Deliver it again, not before `afterMs`. */
  again(afterMs: number): void;
}

interface Entry {
  state: 'open' | 'acked' | 'terminated';
  /** True while the handler's promise is pending. */
  running: boolean;
  touchedAtMs: number;
  copy: StoredCopy | undefined;
}

export interface DeliveryBookOptions {
  /** How many messages are remembered. */
  capacity: number;
  /** A message that a handler left undecided is given to it again after so long without `working()`. */
  ackWaitMs: number;
  /** When a message whose handler threw is to be delivered again. */
  retryAfterMs: number;
  nowMs?: () => number;
}

/** What the book hands to a handler: verdicts that reach every copy of the message, those that are still to come included. */
export interface Verdict {
  working(): void;
  ack(): void;
  terminate(): void;
}

/**
 * Knows which messages have been dealt with. A command comes live, by a plain subscription, and once more out of the
 * stream; live it has nothing that could be acknowledged, so the verdict is kept until the stored copy comes and is then
 * passed on quietly.
 *
 * Messages are told apart by id *and* content: on the live path another host could make something appear under the id of
 * a command to come, and its refusal must not silence the real one.
 */
export class DeliveryBook {
  readonly #entries = new Map<string, Entry>();
  readonly #options: Required<DeliveryBookOptions>;

  constructor(options: DeliveryBookOptions) {
    this.#options = { nowMs: () => performance.now(), ...options };
  }

  /** Takes in one copy, live (no `copy`) or stored, and calls the handler unless the message is being or has been dealt with. */
  async take(
    { id, data, copy }: { id: string; data: Uint8Array; copy: StoredCopy | undefined },
    handle: (verdict: Verdict) => Promise<void>,
  ): Promise<'handled' | 'known'> {
    const key = keyOf(id, data);
    const known = this.#entries.get(key);
    if (known && this.#passOn(known, copy)) return 'known';

    const entry: Entry = { state: 'open', running: true, touchedAtMs: this.#options.nowMs(), copy };
    this.#remember(key, entry);
    try {
      await handle(this.#verdict(entry));
      return 'handled';
    } catch (error) {
      if (entry.state !== 'open') return 'handled';
      this.#entries.delete(key);
      entry.copy?.again(this.#options.retryAfterMs);
      throw error;
    } finally {
      entry.running = false;
    }
  }

  /** @returns false when the message is free to be handled again. */
  #passOn(entry: Entry, copy: StoredCopy | undefined): boolean {
    if (entry.state === 'acked') copy?.ack();
    else if (entry.state === 'terminated') copy?.terminate();
    else {
      const forgotten = !entry.running && this.#options.nowMs() - entry.touchedAtMs >= this.#options.ackWaitMs;
      if (forgotten) return false;
      entry.copy = copy ?? entry.copy;
    }
    return true;
  }

  #verdict(entry: Entry): Verdict {
    return {
      working: () => {
        entry.touchedAtMs = this.#options.nowMs();
        entry.copy?.working();
      },
      ack: () => {
        if (entry.state !== 'open') return;
        entry.state = 'acked';
        entry.copy?.ack();
      },
      terminate: () => {
        if (entry.state !== 'open') return;
        entry.state = 'terminated';
        entry.copy?.terminate();
      },
    };
  }

  /** Bounded: the oldest that is dealt with goes first; its stored copy, should it still come, reaches the handler again. */
  #remember(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= this.#options.capacity) return;
    for (const [oldest, { running }] of this.#entries) {
      if (running) continue;
      this.#entries.delete(oldest);
      return;
    }
  }
}

function keyOf(id: string, data: Uint8Array): string {
  return createHash('sha256').update(id).update('\0').update(data).digest('base64');
}
