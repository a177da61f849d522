import type { Broker, LaneName, Parcel } from './broker.ts';
import type { Life } from './life.ts';

type Answer = (data: Uint8Array | undefined) => void;
type Beat = (host: string, data: Uint8Array, reply: Answer) => void;
type Serve = (verb: string, data: Uint8Array, reply: Answer) => void;

interface AgentEnd {
  readonly life: Life;
  readonly lanes: Partial<Record<LaneName, (parcel: Parcel) => void>>;
  answer: ((verb: string, data: Uint8Array, reply: Answer) => void) | undefined;
}

/** Who listens to what: the part of NATS that stores nothing. */
export class Switchboard {
  /** A host and its clone have one name, and both are heard. */
  readonly #agents = new Map<string, Set<AgentEnd>>();
  readonly #beats = new Map<Life, Beat>();
  readonly #servers = new Map<Life, Serve>();
  readonly #peers = new Map<string, { readonly life: Life; readonly serve: Serve }>();
  readonly #reports = new Map<Life, Set<(run: string) => void>>();

  constructor(broker: Broker) {
    broker.onParcel = (host, lane, parcel) => {
      for (const end of this.#agents.get(host) ?? []) end.lanes[lane]?.(parcel);
    };
    broker.onReport = (run) => {
      for (const listeners of this.#reports.values()) for (const listener of [...listeners]) listener(run);
    };
  }

  agent(host: string, life: Life): AgentEnd {
    const end: AgentEnd = { life, lanes: {}, answer: undefined };
    const ends = this.#agents.get(host) ?? new Set();
    this.#agents.set(host, ends.add(end));
    life.onEnd(() => ends.delete(end));
    return end;
  }

  /** A question to a host; nobody there is heard of at once, as with the real bus. */
  ask(host: string, { verb, data }: { verb: string; data: Uint8Array }, reply: Answer): void {
    // Of two that listen under one name, NATS asks either.
    const end = [...(this.#agents.get(host) ?? [])].findLast(({ life, answer }) => life.alive && answer !== undefined);
    if (end?.answer === undefined) reply(undefined);
    else end.answer(verb, data, reply);
  }

  beat(host: string, data: Uint8Array, reply: Answer): void {
    for (const [life, hear] of this.#beats) if (life.alive) hear(host, data, reply);
  }

  /** An operator's request goes to everybody who serves; the first answer counts. */
  request(verb: string, data: Uint8Array, reply: Answer): void {
    let answered = false;
    const first: Answer = (answer) => {
      if (!answered) reply(answer);
      answered = true;
    };
    for (const [life, serve] of this.#servers) if (life.alive) serve(verb, data, first);
  }

  servePeer(peer: string, life: Life, serve: Serve): () => Promise<void> {
    this.#peers.set(peer, { life, serve });
    return async () => void this.#peers.delete(peer);
  }

  /** A question to another coordinator; nobody there is heard of at once. */
  askPeer(peer: string, question: Uint8Array, reply: Answer): void {
    const end = this.#peers.get(peer);
    if (end?.life.alive) end.serve(peer, question, reply);
    else reply(undefined);
  }

  hear(life: Life, beat: Beat): () => Promise<void> {
    return register(this.#beats, life, beat);
  }

  serve(life: Life, serve: Serve): () => Promise<void> {
    return register(this.#servers, life, serve);
  }

  onReport(life: Life, listener: (run: string) => void): () => void {
    const listeners = this.#reports.get(life) ?? new Set();
    listeners.add(listener);
    this.#reports.set(life, listeners);
    life.onEnd(() => this.#reports.delete(life));
    return () => listeners.delete(listener);
  }
}

function register<T>(map: Map<Life, T>, life: Life, entry: T): () => Promise<void> {
  map.set(life, entry);
  life.onEnd(() => map.delete(life));
  return async () => void map.delete(life);
}
