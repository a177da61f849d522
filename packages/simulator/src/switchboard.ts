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
  readonly #agents = new Map<string, AgentEnd>();
  readonly #beats = new Map<Life, Beat>();
  readonly #servers = new Map<Life, Serve>();
  readonly #reports = new Map<Life, Set<(run: string) => void>>();

  constructor(broker: Broker) {
    broker.onParcel = (host, lane, parcel) => this.#agents.get(host)?.lanes[lane]?.(parcel);
    broker.onReport = (run) => {
      for (const listeners of this.#reports.values()) for (const listener of [...listeners]) listener(run);
    };
  }

  agent(host: string, life: Life): AgentEnd {
    const end: AgentEnd = { life, lanes: {}, answer: undefined };
    this.#agents.set(host, end);
    return end;
  }

  /** A question to a host; nobody there is heard of at once, as with the real bus. */
  ask(host: string, { verb, data }: { verb: string; data: Uint8Array }, reply: Answer): void {
    const end = this.#agents.get(host);
    if (!end?.life.alive || end.answer === undefined) reply(undefined);
    else end.answer(verb, data, reply);
  }

  beat(host: string, data: Uint8Array, reply: Answer): void {
    for (const [life, hear] of this.#beats) if (life.alive) hear(host, data, reply);
  }

  /** An operator's request goes to one of those who serve: the one that came first and lives. */
  request(verb: string, data: Uint8Array, reply: Answer): void {
    const server = [...this.#servers].find(([life]) => life.alive && !life.stopped) ?? [...this.#servers][0];
    server?.[1](verb, data, reply);
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
