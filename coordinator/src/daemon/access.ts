import { type Actor, Request, SignalboxError, type Verb } from '@signalbox/protocol';
import { open } from '@signalbox/protocol/crypto';
import { coordinatorError } from './codes.ts';
import type { CoordinatorConfig } from './config.ts';
import { keysOf } from './hosts.ts';
import type { Clock } from './ports.ts';

/** How old a request may be, and for how long its nonce is remembered. */
const FRESH_MS = 60_000;

const READS: ReadonlySet<string> = new Set<Verb>([
  'ping',
  'hosts',
  'runs',
  'log',
  'live',
  'output',
  'doctor',
  'sample',
  'check',
  'record',
  'attest',
  'audit',
]);
const DECIDES: ReadonlySet<Verb> = new Set<Verb>(['approve', 'reject', 'note', 'acknowledge', 'confirm']);

const ADMINISTERS: ReadonlySet<Verb> = new Set<Verb>(['enroll', 'revoke', 'rotate']);

export type Asker = Actor & { readonly role: string };

/** Who asks, and may they? Every request is signed by an operator's key that this coordinator knows. */
export class Access {
  readonly #mesh: string;
  readonly #clock: Clock;
  readonly #byKey: ReadonlyMap<string, Asker>;
  readonly #nonces = new Map<string, number>();

  constructor({ mesh, operators }: Pick<CoordinatorConfig, 'mesh' | 'operators'>, clock: Clock) {
    this.#mesh = mesh;
    this.#clock = clock;
    this.#byKey = new Map(
      Object.entries(operators).flatMap(([name, { key, former, role }]) =>
        keysOf({ key, former }).map((each): [string, Asker] => [each, { name, key: each, role }]),
      ),
    );
  }

  /**
   * Who has signed a request, and that it was meant for this coordinator, now. Whether they may is `mayAsk`.
   * @throws a code of PROTOCOL_CODES, SB-COORD-MESH, SB-COORD-VERB or SB-COORD-REPLAY.
   */
  identify(verb: Verb, data: Uint8Array): { actor: Asker; request: Request } {
    const opened = open(data, { kind: 'request', schema: Request, trusts: (key) => this.#byKey.has(key) });
    const request = opened.payload;
    const actor = opened.keys.flatMap((key) => this.#byKey.get(key) ?? [])[0];
    if (!actor) throw coordinatorError('SB-COORD-ROLE', 'nobody known has signed this');
    if (request.mesh !== this.#mesh)
      throw coordinatorError('SB-COORD-MESH', `this is mesh ${this.#mesh}, the request is for ${request.mesh}`);
    if (request.verb !== verb) throw coordinatorError('SB-COORD-VERB', `a request to ${request.verb} came as ${verb}`);
    this.#refuseReplay(request);
    return { actor, request };
  }

  #refuseReplay({ nonce, sentAtMs }: Request): void {
    const nowMs = this.#clock.wallMs();
    for (const [old, atMs] of this.#nonces) {
      if (nowMs - atMs <= 2 * FRESH_MS) break;
      this.#nonces.delete(old);
    }
    if (Math.abs(nowMs - sentAtMs) > FRESH_MS) {
      throw coordinatorError(
        'SB-COORD-REPLAY',
        `the request was sent ${Math.round((nowMs - sentAtMs) / 1_000)} s from now by its own clock`,
      );
    }
    if (this.#nonces.has(nonce)) throw coordinatorError('SB-COORD-REPLAY', 'this request has been answered already');
    this.#nonces.set(nonce, nowMs);
  }
}

/** @throws SB-COORD-ROLE */
export function mayAsk(actor: Asker, verb: Verb): void {
  if (isReading(verb) || actor.role === 'admin') return;
  if (actor.role === 'operator' && !ADMINISTERS.has(verb)) return;
  if (actor.role === 'approver' && DECIDES.has(verb)) return;
  throw coordinatorError('SB-COORD-ROLE', `${actor.name} is ${actor.role} and may not ${verb}`);
}

/** Changes nothing; everybody who is known may. */
export function isReading(verb: string): boolean {
  return READS.has(verb);
}

export function failureOf(error: unknown) {
  if (error instanceof SignalboxError) return error.failure;
  return coordinatorError('SB-COORD-VERB', error instanceof Error ? error.message : String(error)).failure;
}
