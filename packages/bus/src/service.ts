import { type Msg, type Service, ServiceError, type ServiceMsg } from 'nats';
import { busError } from './codes.ts';
import type { Link } from './link.ts';
import type { Unsubscribe } from './port.ts';

export interface ServiceIdentity {
  name: string;
  description: string;
  metadata: Record<string, string>;
  /** Of those who serve under one queue, one gets a question; left out: all of one name share theirs. */
  queue?: string;
}

/** Undefined: somebody else answers. */
export type Answering = (data: Uint8Array) => Promise<Uint8Array | undefined>;

/** Of the service protocol, not of the programs: NATS wants a semantic version. */
const SERVICE_VERSION = '1.0.0';
const FAILED = 500;
const NOT_SERVED = 404;

/**
 * One NATS service (ADR-32 of nats-architecture-and-design) whose endpoints come and go. It exists while it has at least
 * one, so `$SRV.PING` shows nobody who would not answer.
 */
export class Endpoints {
  readonly #link: Link;
  readonly #identity: ServiceIdentity;
  readonly #handlers = new Map<string, Answering>();
  readonly #subjects = new Set<string>();
  #service: Promise<Service> | undefined;

  constructor(link: Link, identity: ServiceIdentity) {
    this.#link = link;
    this.#identity = identity;
  }

  async add(subject: string, endpoint: string, handler: Answering): Promise<Unsubscribe> {
    this.#handlers.set(subject, handler);
    this.#service ??= this.#link.nc.services.add({ ...this.#identity, version: SERVICE_VERSION });
    const service = await this.#service;
    // An endpoint cannot be taken out of a service, so it stays and finds its handler gone.
    if (!this.#subjects.has(subject)) {
      this.#subjects.add(subject);
      service.addEndpoint(endpoint, { subject, handler: (error, message) => void this.#answer(error, message) });
    }
    await this.#link.subscribed('announcing a service');
    return async () => await this.#remove(subject, handler);
  }

  async #remove(subject: string, handler: Answering): Promise<void> {
    if (this.#handlers.get(subject) !== handler) return;
    this.#handlers.delete(subject);
    if (this.#handlers.size > 0 || !this.#service) return;
    const service = await this.#service;
    this.#service = undefined;
    this.#subjects.clear();
    if (!this.#link.closed) await service.stop();
  }

  async #answer(error: Error | null, message: ServiceMsg): Promise<void> {
    if (error) return this.#link.log('warn', 'a service endpoint failed', { error: error.message });
    // Nobody waits for an answer: another host named this subject as the reply to a request of its own, and this is what
    // the server said to it (no reply), or a message that it pulled (the reply is its acknowledgement).
    if (!message.reply || message.reply.startsWith('$JS.')) return;
    const handler = this.#handlers.get(message.subject);
    if (!handler) return void message.respondError(NOT_SERVED, 'not served any more');
    try {
      const answer = await handler(message.data);
      if (answer !== undefined && this.#link.connected) message.respond(answer);
    } catch (thrown) {
      const said = thrown instanceof Error ? thrown.message : String(thrown);
      this.#link.log('error', 'answering failed', { subject: message.subject, error: said });
      if (this.#link.connected) message.respondError(FAILED, said.replaceAll(/[\r\n]+/g, ' '));
    }
  }
}

/** The data of an answer. @throws SB-BUS-REMOTE when the service says that it failed. */
export function answerOf(message: Msg): Uint8Array {
  const failed = ServiceError.toServiceError(message);
  if (failed) throw busError('SB-BUS-REMOTE', `the other side answered ${failed.code}: ${failed.message}`);
  return message.data;
}
