import {
  Answer,
  type CheckResult,
  DEFAULTS,
  type Json,
  type JsonObject,
  type Query,
  type Report,
  SignalboxError,
} from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import { coordinatorError } from './codes.ts';
import type { Ports } from './ports.ts';

type Unsent<Q> = Q extends Query ? Omit<Q, 'mesh' | 'host' | 'nonce' | 'critical'> : never;

/** Asks hosts what changes nothing. An answer counts only signed by that host's key, with our nonce in it. */
export class HostQueries {
  readonly #ports: Ports;
  readonly #keyOf: (host: string) => string | undefined;

  constructor(ports: Ports, keyOf: (host: string) => string | undefined) {
    this.#ports = ports;
    this.#keyOf = keyOf;
  }

  /** @throws SB-COORD-HOST-SILENT, or the failure that the host answered with. */
  async sample(
    host: string,
    probe: string,
    input: JsonObject,
    timeoutMs: number = DEFAULTS.queryTimeoutMs,
  ): Promise<{ values: Record<string, Json>; tookMs: number }> {
    const answer = await this.#ask(host, { verb: 'sample', probe, with: input, timeoutMs }, timeoutMs);
    if (answer.verb !== 'sample') throw wrongAnswer(host);
    return { values: answer.values, tookMs: answer.tookMs };
  }

  async check(
    host: string,
    action: string,
    input: JsonObject,
    timeoutMs: number = DEFAULTS.queryTimeoutMs,
  ): Promise<CheckResult> {
    const answer = await this.#ask(host, { verb: 'check', action, with: input, timeoutMs }, timeoutMs);
    if (answer.verb !== 'check') throw wrongAnswer(host);
    return answer.result;
  }

  /** What became of these commands, from the host's journal: the reports of those that have ended. */
  async settle(host: string, commands: string[]): Promise<Report[]> {
    const answer = await this.#ask(host, { verb: 'settle', commands }, DEFAULTS.queryTimeoutMs);
    if (answer.verb !== 'settle') throw wrongAnswer(host);
    return answer.reports;
  }

  async #ask(host: string, body: Unsent<Query>, timeoutMs: number): Promise<Answer> {
    const { bus, mesh, newId, signer } = this.#ports;
    const key = this.#keyOf(host);
    if (key === undefined) throw coordinatorError('SB-COORD-HOST', `${host} is not enrolled`);
    const nonce = newId();
    const data = seal('query', { ...body, mesh, host, nonce }, signer);
    const reply = await bus.query(host, body.verb, data, timeoutMs);
    if (!reply) throw coordinatorError('SB-COORD-HOST-SILENT', `${host} did not answer within ${timeoutMs / 1_000} s`);
    const { payload } = open(reply, { kind: 'answer', schema: Answer, trusts: (k) => k === key });
    if (payload.nonce !== nonce || payload.host !== host) throw wrongAnswer(host);
    if (payload.verb === 'failed') throw new SignalboxError(payload.failure);
    return payload;
  }
}

function wrongAnswer(host: string): SignalboxError {
  return coordinatorError('SB-COORD-HOST-SILENT', `${host} answered something else than what was asked`);
}
