import { type Command, STREAMS } from '@signalbox/protocol';
import { type Signer, seal } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { headers, type NatsConnection } from 'nats';
import { bareClient } from '../support/bare-client.ts';
import { MESH, type World } from '../support/world.ts';

export interface Tapped {
  readonly subject: string;
  readonly data: Uint8Array;
}

/**
 * Whoever owns the NATS server: sees every message between hosts and coordinators, and sends what they like to anybody,
 * past all streams and permissions. Signing keys they have none.
 */
export class ServerOwner {
  readonly seen: Tapped[] = [];
  readonly #nats: NatsConnection;

  static async of({ mesh }: World): Promise<ServerOwner> {
    const { url, keys } = mesh.nats;
    const { seed, publicKey } = keys.coordinator;
    const owner = new ServerOwner(await bareClient({ url, seed, publicKey }));
    await owner.#nats.flush();
    return owner;
  }

  private constructor(nats: NatsConnection) {
    this.#nats = nats;
    nats.subscribe(`sb.${MESH}.>`, { callback: (_, { subject, data }) => void this.seen.push({ subject, data }) });
  }

  /** The first message that fits, when it has come: what others have had already may reach the owner a moment later. */
  async sight(what: string, fits: (tapped: Tapped) => boolean): Promise<Tapped> {
    return await until(`${what} to be seen`, () => this.seen.find(fits));
  }

  /** Commands as hosts hear them, oldest first. */
  commands(): { readonly host: string; readonly data: Uint8Array; readonly command: Command }[] {
    return this.seen.flatMap(({ subject, data }) => {
      const [, , live, lane, host = ''] = subject.split('.');
      return live === 'live' && lane === 'cmd' ? [{ host, data, command: payloadOf<Command>(data) }] : [];
    });
  }

  /** As if the stream had just given it out. */
  async tell(host: string, id: string, data: Uint8Array): Promise<void> {
    const stored = headers();
    stored.set('Nats-Stream', STREAMS.commands);
    this.#nats.publish(`sb.${MESH}.live.cmd.${host}.${id}`, data, { headers: stored });
    await this.#nats.flush();
  }

  async publish(subject: string, data: Uint8Array): Promise<void> {
    this.#nats.publish(subject, data);
    await this.#nats.flush();
  }

  /** @returns what is answered, as far as one may believe it. */
  async ask(verb: string, data: Uint8Array): Promise<{ type: string; failure?: { code: string } }> {
    const { data: answer } = await this.#nats.request(`sb.${MESH}.req.${verb}`, data, { timeout: 5_000 });
    return payloadOf(answer);
  }
}

export function payloadOf<T>(data: Uint8Array): T {
  return JSON.parse(JSON.parse(Buffer.from(data).toString()).payload) as T;
}

/** The same envelope around another payload: what somebody without the key can make of a message. */
export function changed(data: Uint8Array, change: (payload: Record<string, unknown>) => void): Uint8Array {
  const envelope = JSON.parse(Buffer.from(data).toString());
  const payload = JSON.parse(envelope.payload);
  change(payload);
  return Buffer.from(JSON.stringify({ ...envelope, payload: JSON.stringify(payload) }));
}

export const sealed = (command: Command, key: Signer): Uint8Array => seal('command', command, key);
