import type { AgentBus, Delivery } from '@signalbox/bus';
import { SignalboxError } from '@signalbox/protocol';
import { agentError } from '../codes.ts';
import { type Lane, type Line, type Order, type Said, textOf, type Verdict } from './wire.ts';

/** The bus as the runner has it: behind a messenger that may go, come back, or be another one. */
export interface BusThroughMessenger {
  readonly bus: AgentBus;
  /** Somebody carries from now on, and is told what is listened to. */
  meet(line: Line<Order>): void;
  /** Nobody does. */
  leave(): void;
  hear(said: Said): void;
}

type Handler = (delivery: Delivery) => Promise<void>;
type Answering = (data: Uint8Array) => Promise<Uint8Array>;

interface Asked {
  resolve: (data: Uint8Array | undefined) => void;
  reject: (error: Error) => void;
}

/** @param goodbye ends the connection with the messenger, when what was given to it is on its way. */
export function createBusThroughMessenger(goodbye: () => Promise<void>): BusThroughMessenger {
  const lanes = new Map<Lane, Handler>();
  const verbs = new Map<string, Answering>();
  const listeners: ((connected: boolean) => void)[] = [];
  const asked = new Map<number, Asked>();
  const stats = { reconnects: 0, messagesIn: 0, messagesOut: 0 };
  let line: Line<Order> | undefined;
  let connected = false;
  let asks = 0;

  function set(now: boolean): void {
    if (now === connected) return;
    connected = now;
    for (const listener of listeners) listener(now);
  }

  function send(order: Order): void {
    stats.messagesOut += 1;
    line?.send(order);
  }

  function ask(order: (n: number) => Order): Promise<Uint8Array | undefined> {
    if (line === undefined) return Promise.reject(gone());
    asks += 1;
    const n = asks;
    return new Promise((resolve, reject) => {
      asked.set(n, { resolve, reject });
      send(order(n));
    });
  }

  /** Whoever brought it hears what is made of it. A messenger that came later did not bring it. */
  function deliver({ lane, n, id, data }: Extract<Said, { type: 'delivery' }>): void {
    const by = line;
    const settle = (verdict: Verdict) => by?.send({ type: 'settle', n, verdict });
    const handling = lanes.get(lane)?.({
      ...{ id, data },
      working: () => settle('working'),
      ack: () => settle('ack'),
      terminate: () => settle('terminate'),
    });
    handling?.then(
      () => settle('handled'),
      () => settle('threw'),
    );
  }

  function answer({ verb, n, data }: Extract<Said, { type: 'query' }>): void {
    const by = line;
    const answering = verbs.get(verb)?.(data) ?? Promise.reject(new Error(`nobody answers ${verb.slice(0, 40)}`));
    answering.then(
      (given) => by?.send({ type: 'answer', n, data: textOf(given) }),
      (error: unknown) => by?.send({ type: 'unanswered', n, why: error instanceof Error ? error.message : '' }),
    );
  }

  function settle({ n, data, failure }: Extract<Said, { type: 'done' }>): void {
    const one = asked.get(n);
    asked.delete(n);
    if (failure === undefined) one?.resolve(data);
    else one?.reject(new SignalboxError(failure));
  }

  function leave(): void {
    line = undefined;
    for (const { reject } of asked.values()) reject(gone());
    asked.clear();
    set(false);
  }

  const listen = (lane: Lane) => async (handler: Handler) => {
    lanes.set(lane, handler);
    send({ type: 'listen', lane });
    return async () => void lanes.delete(lane);
  };

  return {
    leave,
    meet(visitor) {
      leave();
      line = visitor;
      // In the order in which they were listened to.
      for (const lane of lanes.keys()) send({ type: 'listen', lane });
      for (const verb of verbs.keys()) send({ type: 'serve', verb });
    },
    hear(said) {
      stats.messagesIn += 1;
      if (said.type === 'connected') set(said.connected);
      else if (said.type === 'delivery') deliver(said);
      else if (said.type === 'query') answer(said);
      else if (said.type === 'done') settle(said);
    },
    bus: {
      stats,
      close: goodbye,
      get connected() {
        return connected;
      },
      onConnection(listener) {
        listeners.push(listener);
        listener(connected);
      },
      commands: listen('commands'),
      controls: listen('controls'),
      async report(run, data) {
        await ask((n) => ({ type: 'report', n, run, data: textOf(data) }));
      },
      output: ({ run, step, commandId, seq }, data) =>
        send({ type: 'output', chunk: { run, step, commandId, seq }, data: textOf(data) }),
      beat: (data) => ask((n) => ({ type: 'beat', n, data: textOf(data) })).catch(() => undefined),
      async answer(verb, answering) {
        verbs.set(verb, answering);
        send({ type: 'serve', verb });
        return async () => void verbs.delete(verb);
      },
    },
  };
}

const gone = () => agentError('SB-AGENT-MESSENGER', 'nobody carries messages to the mesh and back');
