import { type Msg, RequestStrategy } from 'nats';
import { backoffMs } from './backoff.ts';
import { DeliveryBook, type StoredCopy } from './deliveries.ts';
import type { Link } from './link.ts';
import type { Delivery, Unsubscribe } from './port.ts';
import { ACK_WAIT_MS } from './streams.ts';

export interface LaneTiming {
  /** How often the durable consumer is asked for what did not come live. */
  sweepEveryMs: number;
  /** When a message whose handler threw comes again. */
  retryAfterMs: number;
}

export interface LaneOptions {
  stream: string;
  /** Name of the durable consumer: the host. */
  consumer: string;
  /** Where the stream gives out what it has stored: `sb.<mesh>.live.cmd.<host>.*`. The id is the last token. */
  live: string;
  handler: (delivery: Delivery) => Promise<void>;
  timing?: Partial<LaneTiming> | undefined;
}

const TIMING: LaneTiming = { sweepEveryMs: 10_000, retryAfterMs: 1_000 };
const BATCH = 64;
const PULL_TIMEOUT_MS = 3_000;
const REMEMBERED = 4_096;
/** Header that a stream sets on what it republishes (source: NATS ADR-28). */
const STORED_IN = 'Nats-Stream';

/**
 * One lane of an agent: a plain subscription on what the stream republishes once it has stored it, for speed, and sweeps
 * through the durable consumer for what was published while nobody listened. A consumer that delivered everything would write its
 * state for every command; measured, that makes a fan-out five to ten times slower.
 *
 * A sweep follows the start, each reconnect, each message whose handler threw, and `sweepEveryMs`. The subscription is in
 * place before the first sweep, so nothing falls between them; what comes both ways is told apart by DeliveryBook.
 */
export async function openLane(link: Link, options: LaneOptions): Promise<Unsubscribe> {
  const lane = new Lane(link, options);
  await lane.start();
  return async () => lane.stop();
}

class Lane {
  readonly #link: Link;
  readonly #options: LaneOptions;
  readonly #timing: LaneTiming;
  readonly #book: DeliveryBook;
  readonly #cleanups: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;
  #sweeping = false;
  #sweepAgain = false;
  #failures = 0;
  #stopped = false;

  constructor(link: Link, options: LaneOptions) {
    this.#link = link;
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
    const { retryAfterMs } = this.#timing;
    this.#book = new DeliveryBook({ capacity: REMEMBERED, ackWaitMs: ACK_WAIT_MS, retryAfterMs });
  }

  async start(): Promise<void> {
    const { nc } = this.#link;
    await this.#link.ready();
    const { live, stream } = this.#options;
    const subscription = nc.subscribe(live, {
      callback: (error, message) => {
        if (error) this.#link.log('warn', 'live delivery failed', { error: error.message });
        // Another host can make foreign messages appear here by naming this subject as its reply. They lack the header.
        else if (message.headers?.get(STORED_IN) === stream) this.#arrive(message, undefined);
      },
    });
    this.#cleanups.push(
      () => subscription.unsubscribe(),
      this.#link.onReconnect(() => this.#sweep()),
    );
    this.#link.onClose(() => this.stop());
    await this.#link.subscribed('subscribing');
    this.#sweep();
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const cleanup of this.#cleanups) cleanup();
  }

  /** Never awaited by what delivers: a handler that waits for a slot holds up nobody behind it. */
  #arrive(message: Msg, copy: StoredCopy | undefined): void {
    if (this.#stopped) return;
    const { handler } = this.#options;
    const { data, subject } = message;
    const id = subject.slice(subject.lastIndexOf('.') + 1);
    this.#book
      .take({ id, data, copy }, (verdict) => handler({ id, data, ...verdict }))
      .catch((error: unknown) => {
        const said = error instanceof Error ? error.message : String(error);
        this.#link.log('error', 'a handler failed; the message comes again', { id, error: said });
        // A little later than the stream was asked to wait.
        this.#sweepIn(this.#timing.retryAfterMs + 100);
      });
  }

  #sweepIn(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#sweep(), ms);
  }

  #sweep(): void {
    if (this.#sweeping) {
      this.#sweepAgain = true;
      return;
    }
    this.#sweeping = true;
    this.#sweepAgain = false;
    this.#pullAll().then(
      () => this.#swept(undefined),
      (error: unknown) => this.#swept(error),
    );
  }

  #swept(error: unknown): void {
    this.#sweeping = false;
    if (error === undefined) {
      this.#failures = 0;
      this.#sweepIn(this.#sweepAgain ? 0 : this.#timing.sweepEveryMs);
      return;
    }
    // After a server's restart JetStream comes up later than the connection; before a coordinator's first start there is
    // no consumer.
    const said = error instanceof Error ? error.message : String(error);
    this.#link.log('debug', 'catching up failed', { stream: this.#options.stream, error: said });
    this.#sweepIn(Math.min(this.#timing.sweepEveryMs, 4 * backoffMs(this.#failures++)));
  }

  async #pullAll(): Promise<void> {
    while (!this.#stopped && this.#link.connected) {
      if ((await this.#pull()) < BATCH) return;
    }
  }

  /**
   * One batch of what the consumer has now. Answers keep the subject that they were published on and end with an empty
   * status message (404: no more, 409: too many unacknowledged) unless the batch is full (source: NATS ADR-13).
   */
  async #pull(): Promise<number> {
    const { stream, consumer } = this.#options;
    const answers = await this.#link.nc.requestMany(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
      JSON.stringify({ batch: BATCH, no_wait: true }),
      // A subscription of its own: the shared one tells answers apart by their subject, which these do not have.
      { strategy: RequestStrategy.SentinelMsg, maxWait: PULL_TIMEOUT_MS, noMux: true },
    );
    let count = 0;
    for await (const message of answers) {
      if (message.data.length === 0 && message.headers?.hasError) break;
      this.#arrive(message, this.#copyOf(message));
      count += 1;
      if (count === BATCH) break;
    }
    return count;
  }

  /** The stream's acknowledgement protocol (source: NATS ADR-15, "JetStream acks"). */
  #copyOf(message: Msg): StoredCopy {
    const say = (what: string) => {
      // Lost with the connection, an acknowledgement is made up for when the copy comes again.
      if (message.reply && this.#link.connected) this.#link.nc.publish(message.reply, what);
    };
    return {
      ack: () => say('+ACK'),
      terminate: () => say('+TERM'),
      working: () => say('+WPI'),
      again: (afterMs) => say(`-NAK ${JSON.stringify({ delay: afterMs * 1_000_000 })}`),
    };
  }
}
