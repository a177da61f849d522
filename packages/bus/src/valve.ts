import { headers } from 'nats';
import type { Link } from './link.ts';

/** What may be on its way to the server unconfirmed before more is dropped. */
const MOST_PENDING_BYTES = 4 * 1_048_576;
/** How much is published before the server is asked whether it has it: a ping for each message would cost as much as it. */
const CONFIRM_EVERY_BYTES = 65_536;

/**
 * Publishing that never holds anybody up: status events and live output. While the connection is lost, or slower than its
 * writer, messages are dropped.
 */
export class Valve {
  readonly #link: Link;
  #pendingBytes = 0;
  #flushing = false;

  constructor(link: Link) {
    this.#link = link;
  }

  /** `messageId`: the stream stores a message under it once, within its window. */
  publish(subject: string, data: Uint8Array, messageId?: string): void {
    const { nc, connected } = this.#link;
    const tooLarge = data.length > (nc.info?.max_payload ?? Number.POSITIVE_INFINITY);
    if (!connected || tooLarge || this.#pendingBytes + data.length > MOST_PENDING_BYTES) return;
    this.#link.later(() => nc.publish(subject, data, messageId === undefined ? {} : { headers: named(messageId) }));
    this.#pendingBytes += data.length;
    if (!this.#flushing && this.#pendingBytes >= CONFIRM_EVERY_BYTES) void this.#flush();
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    // What still lingers would come behind the ping that is to confirm it.
    this.#link.hurry();
    // What is published meanwhile is behind this ping and counts for the next.
    const confirmed = this.#pendingBytes;
    await this.#link.exchange('flushing', () => this.#link.nc.flush()).catch(() => {});
    this.#pendingBytes -= confirmed;
    this.#flushing = false;
    if (!this.#link.connected) this.#pendingBytes = 0;
    else if (this.#pendingBytes >= CONFIRM_EVERY_BYTES) void this.#flush();
  }
}

/** Source: NATS ADR-1, `Nats-Msg-Id`. */
function named(messageId: string) {
  const set = headers();
  set.set('Nats-Msg-Id', messageId);
  return set;
}
