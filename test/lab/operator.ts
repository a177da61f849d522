import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connectOperator, type OperatorBus } from '@signalbox/bus';
import { signAgreement, signStart } from '@signalbox/coordinator';
import {
  type LogEntry,
  REQUESTS,
  Reply,
  type ReplyBody,
  type RequestBody,
  SignalboxError,
  subjectToken,
  type Verb,
} from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import type { z } from 'zod';
import type { Janitor } from './janitor.ts';
import type { ProcessMesh } from './mesh.ts';

const ANSWER_MS = 10_000;
/** A coordinator that was killed says nothing. */
const SILENCE_MS = 250;
const ANSWERS: { [V in Verb]: { reply: z.ZodType<ReplyBody<V>> } } = REQUESTS;

/** An operator without a terminal: asks what the CLI asks, without the start of a process each time. */
export class Operator {
  readonly #mesh: ProcessMesh;
  readonly #bus: OperatorBus;
  readonly name: string;
  /** Emits the subject token of each run that something has happened to. */
  readonly #heard = new EventEmitter().setMaxListeners(0);

  static async connect(mesh: ProcessMesh, janitor: Janitor, name = 'operator'): Promise<Operator> {
    const { seed, publicKey } = mesh.nats.operatorKey(name);
    const where = { servers: [mesh.nats.url], mesh: mesh.name, seed, jwt: mesh.jwtOf(publicKey) };
    const bus = await connectOperator({ ...where, name: `operator ${name}`, connectTimeoutMs: 5_000 });
    janitor.add(`operator ${name}`, () => bus.close());
    const operator = new Operator(mesh, bus, name);
    await bus.status((subject) => operator.#heard.emit(subject.slice(subject.lastIndexOf('.') + 1)));
    return operator;
  }

  private constructor(mesh: ProcessMesh, bus: OperatorBus, name: string) {
    this.#mesh = mesh;
    this.#bus = bus;
    this.name = name;
  }

  /** @throws SignalboxError with the failure that the coordinator answered with, or the bus's own. */
  async ask<V extends Verb>(verb: V, body: RequestBody<V>, timeoutMs = ANSWER_MS): Promise<ReplyBody<V>> {
    const { nats, name: mesh } = this.#mesh;
    const nonce = randomUUID();
    const request = { mesh, verb, nonce, operator: this.name, sentAtMs: Date.now(), body };
    const data = await this.#bus.request(verb, seal('request', request, nats.operatorKey(this.name)), timeoutMs);
    const trusts = (key: string) => key === nats.keys.coordinator.publicKey;
    const { payload: reply } = open(data, { kind: 'reply', schema: Reply, trusts });
    if (reply.type === 'failed') throw new SignalboxError(reply.failure);
    if (reply.nonce !== nonce) throw new Error(`an answer to ${verb} belongs to another question`);
    return ANSWERS[verb].reply.parse(reply.body);
  }

  /** Signs a plan and starts its run. @throws as `ask`. */
  async start(plan: string, start: string, timeoutMs = ANSWER_MS): Promise<ReplyBody<'start'>> {
    const signed = signStart({ text: plan, start, nowMs: Date.now() }, this.#credentials());
    return await this.ask('start', { plan, start, signed, acceptDrift: false }, timeoutMs);
  }

  /** Signs an approval and gives it. @throws as `ask`. */
  async approve(run: string, step: string, note?: string, timeoutMs = ANSWER_MS): Promise<void> {
    const { entries, plan: text = '' } = await this.ask('log', { run, from: 0, plan: true }, timeoutMs);
    const created = entries[0]?.events.find((event) => event.type === 'RunCreated');
    const of = { text, start: created?.start ?? '', step, nowMs: Date.now() };
    const signed = signAgreement(of, this.#credentials());
    await this.ask('approve', { run, step, signed, ...(note === undefined ? {} : { note }) }, timeoutMs);
  }

  /** The whole log of a run, as it is now. */
  async log(run: string): Promise<LogEntry[]> {
    const entries: LogEntry[] = [];
    await this.#readOn(run, entries);
    return entries;
  }

  /**
   * Waits for something in the log of a run, which is read on from where it ended whenever the coordinator says that something
   * has happened. While no coordinator answers, the log stays as it was.
   * @returns what `look` returned first that is neither undefined nor false. @throws as `until`, and what `look` throws.
   */
  async seen<T>(
    what: string,
    run: string,
    look: (entries: LogEntry[]) => T | undefined | false | Promise<T | undefined | false>,
    timeoutMs: number,
  ): Promise<T> {
    const entries: LogEntry[] = [];
    let news: Promise<unknown> = Promise.resolve();
    const read = async () => {
      // Listens first and reads then, so that nothing happens in between unheard.
      news = once(this.#heard, subjectToken(run), { signal: AbortSignal.timeout(SILENCE_MS) }).catch(() => undefined);
      await this.#readOn(run, entries).catch(() => undefined);
      return await look(entries);
    };
    return await until(what, read, { timeoutMs, pause: () => news });
  }

  async #readOn(run: string, entries: LogEntry[]): Promise<void> {
    for (;;) {
      const page = await this.ask('log', { run, from: entries.length, plan: false });
      entries.push(...page.entries);
      if (!page.more) return;
    }
  }

  #credentials() {
    const certificate = readFileSync(this.#mesh.etc(`${this.name}.cert`), 'utf8');
    return { key: this.#mesh.nats.operatorKey(this.name), certificate };
  }
}
