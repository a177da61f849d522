import { SignalboxError } from '@signalbox/protocol';
import { DebugEvents, Events, type NatsConnection, type Status } from 'nats';
import { busError } from './codes.ts';
import { toBusError } from './errors.ts';
import type { BusOptions, Connection } from './port.ts';

export type Log = NonNullable<BusOptions['log']>;

/** How long a call waits for a lost connection before it fails with SB-BUS-OFFLINE. */
const WAIT_FOR_CONNECTION_MS = 5_000;
/** How long a clean end may take before the connection is cut. */
const DRAIN_MS = 2_000;
/** A write to the socket costs more than what is in it: what nobody waits for is collected for so long. */
const LINGER_MS = 10;

/**
 * One connection with a gate in front of it. What is published while the connection is lost is dropped by the client
 * without a word, so everything goes through `exchange` or looks at `connected` first.
 */
export interface Link extends Connection {
  readonly nc: NatsConnection;
  readonly log: Log;
  readonly closed: boolean;
  /** Waits until connected. @throws SB-BUS-OFFLINE after `waitMs`, or when the link is closed. */
  ready(waitMs?: number): Promise<void>;
  /**
   * Something that is asked and answered. Waits for the connection first.
   * @throws SB-BUS-TIMEOUT when the connection is lost in the middle: the outcome is unknown. Otherwise as toBusError.
   */
  exchange<T>(doing: string, work: () => Promise<T>): Promise<T>;
  /**
   * Resolves when the server knows of all subscriptions up to now. A connection that is lost meanwhile is waited for, as
   * long as it takes: with it the client subscribes anew, and a program must not end because it began at a bad moment.
   */
  subscribed(doing: string): Promise<void>;
  /**
   * Publishes something that nobody waits for: in order, with others like it in one write, a few milliseconds later or
   * before the connection is closed. It is left out when the connection is lost by then.
   */
  later(publish: () => void): void;
  /** What waits for that is published now. */
  hurry(): void;
  /** Called after each reconnect, when subscriptions are in place again. */
  onReconnect(listener: () => void): () => void;
  /** Called once, before the connection goes. */
  onClose(listener: () => void): void;
}

export function makeLink(nc: NatsConnection, log: Log): Link {
  const changed = new Set<(connected: boolean) => void>();
  const reconnected = new Set<() => void>();
  const closing = new Set<() => void>();
  let connected = true;
  let ending: Promise<void> | undefined;
  let reconnects = 0;
  let waiting: (() => void)[] = [];
  let linger: NodeJS.Timeout | undefined;
  const publishWaiting = () => {
    clearTimeout(linger);
    linger = undefined;
    const publishes = waiting;
    waiting = [];
    if (!connected || ending) return;
    try {
      for (const publish of publishes) publish();
    } catch (error) {
      log('debug', 'the connection is just being closed', { error: String(error) });
    }
  };

  const set = (now: boolean) => {
    if (now === connected) return;
    connected = now;
    for (const listener of [...changed]) listener(now);
  };

  const heed = ({ type, data }: Status) => {
    if (type === Events.Disconnect) {
      log('warn', 'connection to NATS lost', { server: String(data) });
      set(false);
    } else if (type === Events.Reconnect) {
      reconnects += 1;
      log('info', 'connected to NATS again', { server: String(data) });
      set(true);
      for (const listener of [...reconnected]) listener();
    } else if (type === Events.Error || type === DebugEvents.StaleConnection) {
      log('warn', 'NATS reported an error', { error: String(data) });
    }
  };
  void watchStatus(nc, heed).finally(() => set(false));

  const ready = async (waitMs = WAIT_FOR_CONNECTION_MS) => {
    if (connected && !ending) return;
    if (ending) throw busError('SB-BUS-OFFLINE', 'this connection is closed');
    await untilConnected(changed, waitMs);
  };

  async function exchange<T>(doing: string, work: () => Promise<T>): Promise<T> {
    await ready();
    try {
      return await unlessLost(changed, work());
    } catch (error) {
      throw toBusError(error, doing);
    }
  }

  return {
    nc,
    log,
    ready,
    get connected() {
      return connected && !ending;
    },
    get closed() {
      return ending !== undefined;
    },
    stats: {
      get reconnects() {
        return reconnects;
      },
      get messagesIn() {
        return nc.stats().inMsgs;
      },
      get messagesOut() {
        return nc.stats().outMsgs;
      },
    },
    onConnection(listener) {
      changed.add(listener);
      listener(connected);
    },
    onReconnect(listener) {
      reconnected.add(listener);
      return () => reconnected.delete(listener);
    },
    onClose(listener) {
      closing.add(listener);
    },
    exchange,
    async subscribed(doing) {
      for (;;) {
        try {
          return await exchange(doing, () => nc.flush());
        } catch (error) {
          if (ending || !isLost(error)) throw error;
          // The news that the connection is lost may come after the error that it causes.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    },
    later(publish) {
      waiting.push(publish);
      linger ??= setTimeout(publishWaiting, LINGER_MS);
    },
    hurry: publishWaiting,
    close() {
      if (!ending) publishWaiting();
      ending ??= end(nc, connected, closing);
      return ending;
    },
  };
}

async function watchStatus(nc: NatsConnection, heed: (status: Status) => void): Promise<void> {
  for await (const status of nc.status()) heed(status);
}

async function end(nc: NatsConnection, connected: boolean, closing: Iterable<() => void>): Promise<void> {
  for (const listener of closing) listener();
  if (connected) {
    const giveUp = setTimeout(() => void nc.close(), DRAIN_MS);
    await nc.drain().catch(() => {});
    clearTimeout(giveUp);
  }
  await nc.close();
}

const isLost = (error: unknown) =>
  error instanceof SignalboxError && (error.code === 'SB-BUS-TIMEOUT' || error.code === 'SB-BUS-OFFLINE');

type Listeners = Set<(connected: boolean) => void>;

function untilConnected(changed: Listeners, waitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (connected: boolean) => {
      clearTimeout(timer);
      changed.delete(settle);
      if (connected) resolve();
      else reject(busError('SB-BUS-OFFLINE', `the connection to NATS was not back after ${waitMs} ms`));
    };
    const timer = setTimeout(() => settle(false), waitMs);
    changed.add(settle);
  });
}

async function unlessLost<T>(changed: Listeners, work: Promise<T>): Promise<T> {
  let onChange: (connected: boolean) => void = () => {};
  const lost = new Promise<never>((_, reject) => {
    onChange = (connected) => {
      if (!connected) reject(busError('SB-BUS-TIMEOUT', 'the connection was lost before the answer came'));
    };
    changed.add(onChange);
  });
  try {
    return await Promise.race([work, lost]);
  } finally {
    changed.delete(onChange);
  }
}
