import {
  Answer,
  type CheckResult,
  DEFAULTS,
  type Json,
  type JsonObject,
  KeyAnswer,
  type KeyStep,
  type Query,
  type Report,
  SignalboxError,
} from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import type { z } from 'zod';
import { coordinatorError } from './codes.ts';
import type { Hosts } from './hosts.ts';
import type { Ports } from './ports.ts';

type Unsent<Q> = Q extends Query ? Omit<Q, 'mesh' | 'host' | 'nonce' | 'critical'> : never;

/** Asks hosts what changes nothing. An answer counts only signed by that host's key, with our nonce in it. */
export class HostQueries {
  readonly #ports: Ports;
  readonly #hosts: Pick<Hosts, 'get' | 'isKeyOf'>;

  constructor(ports: Ports, hosts: Pick<Hosts, 'get' | 'isKeyOf'>) {
    this.#ports = ports;
    this.#hosts = hosts;
  }

  /** @throws SB-COORD-HOST-SILENT, or the failure that the host answered with. */
  async sample(
    host: string,
    probe: string,
    input: JsonObject,
    timeoutMs: number = DEFAULTS.queryTimeoutMs,
  ): Promise<{ values: Record<string, Json>; tookMs: number; sealed: string }> {
    const { answer, sealed } = await this.#ask(host, { verb: 'sample', probe, with: input, timeoutMs }, timeoutMs);
    if (answer.verb !== 'sample') throw wrongAnswer(host);
    return { values: answer.values, tookMs: answer.tookMs, sealed };
  }

  async check(
    host: string,
    action: string,
    input: JsonObject,
    timeoutMs: number = DEFAULTS.checkTimeoutMs,
  ): Promise<CheckResult> {
    const { answer } = await this.#ask(host, { verb: 'check', action, with: input, timeoutMs }, timeoutMs);
    if (answer.verb !== 'check') throw wrongAnswer(host);
    return answer.result;
  }

  /** What became of these commands, from the host's journal: the reports of those that have ended. */
  async settle(host: string, commands: string[]): Promise<{ report: Report; sealed: string | undefined }[]> {
    const { answer } = await this.#ask(host, { verb: 'settle', commands }, DEFAULTS.queryTimeoutMs);
    if (answer.verb !== 'settle') throw wrongAnswer(host);
    return answer.reports.map((report, i) => ({ report, sealed: answer.sealed?.[i] }));
  }

  /** One step of replacing the key of a host. @returns its key after it; of `make`, the next one, proven. */
  async changeKey(host: string, step: KeyStep, key?: string): Promise<string> {
    const body = { step, ...(key === undefined ? {} : { key }) };
    const asked = { verb: 'key', body, schema: KeyAnswer, timeoutMs: DEFAULTS.queryTimeoutMs };
    const { payload, keys } = await this.#exchange(host, asked);
    if (payload.type === 'failed') throw new SignalboxError(payload.failure);
    // Whoever names a key must have it.
    if (!keys.includes(payload.key)) throw wrongAnswer(host);
    return payload.key;
  }

  /** `sealed`: the answer as its host signed it. */
  async #ask(
    host: string,
    body: Unsent<Query>,
    timeoutMs: number,
  ): Promise<{ answer: Exclude<Answer, { verb: 'failed' }>; sealed: string }> {
    const { payload, sealed } = await this.#exchange(host, { verb: body.verb, body, schema: Answer, timeoutMs });
    if (payload.verb === 'failed') throw new SignalboxError(payload.failure);
    return { answer: payload, sealed };
  }

  /** @returns what the host answered, the keys that it has signed it with, and the answer as it did. */
  async #exchange<T extends { nonce: string; host: string }>(
    host: string,
    { verb, body, schema, timeoutMs }: { verb: string; body: object; schema: z.ZodType<T>; timeoutMs: number },
  ): Promise<{ payload: T; keys: readonly string[]; sealed: string }> {
    const { bus, mesh, newId, signer } = this.#ports;
    if (!this.#hosts.get(host)) throw coordinatorError('SB-COORD-HOST', `${host} is not enrolled`);
    const nonce = newId();
    const data = seal('query', { ...body, mesh, host, nonce }, signer);
    const reply = await bus.query(host, verb, data, timeoutMs);
    if (!reply) throw coordinatorError('SB-COORD-HOST-SILENT', `${host} did not answer within ${timeoutMs / 1_000} s`);
    const trusts = (key: string) => this.#hosts.isKeyOf(host, key);
    const { payload, keys } = open(reply, { kind: 'answer', schema, trusts });
    if (payload.nonce !== nonce || payload.host !== host) throw wrongAnswer(host);
    return { payload, keys, sealed: Buffer.from(reply).toString() };
  }
}

function wrongAnswer(host: string): SignalboxError {
  return coordinatorError('SB-COORD-HOST-SILENT', `${host} answered something else than what was asked`);
}
