import type { AgentBus, Delivery } from '@signalbox/bus';

export interface FakeBus extends AgentBus {
  /** Delivers a command as the stream would. @returns what the agent did with it. */
  deliver(id: string, data: Uint8Array): Delivered;
  deliverControl(id: string, data: Uint8Array): Delivered;
  ask(verb: string, data: Uint8Array): Promise<Uint8Array>;
  readonly published: { run: string; data: Uint8Array }[];
  readonly sent: { output: Uint8Array[]; beats: Uint8Array[] };
  reply: (beat: Uint8Array) => Uint8Array | undefined;
  /** Fails every report while it is set. */
  full: Error | undefined;
  connect(connected: boolean): void;
}

export interface Delivered {
  readonly verdict: 'none' | 'acked' | 'terminated';
  readonly working: number;
  readonly handled: Promise<void>;
}

export function fakeBus(): FakeBus {
  const lanes: Record<'commands' | 'controls', (delivery: Delivery) => Promise<void>> = {
    commands: async () => {},
    controls: async () => {},
  };
  const answers = new Map<string, (data: Uint8Array) => Promise<Uint8Array>>();
  const listeners: ((connected: boolean) => void)[] = [];
  let connected = true;

  function deliverTo(lane: 'commands' | 'controls', id: string, data: Uint8Array): Delivered {
    const state = { verdict: 'none' as Delivered['verdict'], working: 0 };
    const handled = lanes[lane]({
      id,
      data,
      working: () => void state.working++,
      ack() {
        state.verdict = 'acked';
      },
      terminate() {
        state.verdict = 'terminated';
      },
    });
    return {
      get verdict() {
        return state.verdict;
      },
      get working() {
        return state.working;
      },
      handled,
    };
  }

  const subscribe = (lane: 'commands' | 'controls') => async (handler: (delivery: Delivery) => Promise<void>) => {
    lanes[lane] = handler;
    return async () => {};
  };
  const bus: FakeBus = {
    published: [],
    sent: { output: [], beats: [] },
    reply: () => undefined,
    full: undefined,
    deliver: (id, data) => deliverTo('commands', id, data),
    deliverControl: (id, data) => deliverTo('controls', id, data),
    async ask(verb, data) {
      const handler = answers.get(verb);
      if (handler === undefined) throw new Error(`nobody answers ${verb}`);
      return await handler(data);
    },
    connect(now) {
      connected = now;
      for (const listener of listeners) listener(now);
    },
    get connected() {
      return connected;
    },
    onConnection(listener) {
      listeners.push(listener);
      listener(connected);
    },
    stats: { reconnects: 0, messagesIn: 0, messagesOut: 0 },
    close: async () => {},
    commands: subscribe('commands'),
    controls: subscribe('controls'),
    async report(run, data) {
      if (bus.full) throw bus.full;
      bus.published.push({ run, data });
    },
    output: (_, data) => void bus.sent.output.push(data),
    async beat(data) {
      bus.sent.beats.push(data);
      return bus.reply(data);
    },
    async answer(verb, handler) {
      answers.set(verb, handler);
      return async () => {};
    },
  };
  return bus;
}
