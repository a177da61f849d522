import { randomUUID } from 'node:crypto';
import type { OperatorBus, Unsubscribe } from '@signalbox/bus';
import {
  REQUESTS,
  Reply,
  type ReplyBody,
  type Request,
  type RequestBody,
  SignalboxError,
  type SignedApproval,
  type SignedStart,
  type Verb,
} from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import type { z } from 'zod';
import { cliError } from './codes.ts';
import type { PersonsSettings } from './settings.ts';
import { type ApprovalOf, signAgreement, signStart } from './sign-start.ts';

const ANSWER_MS = 15_000;
const CONNECT_MS = 3_000;

/** The mesh, as an operator's commands see it: one question, one believed answer. */
export interface MeshClient {
  readonly mesh: string;
  readonly operator: string;
  readonly publicKey: string;
  /** @throws what the coordinator refused with; SB-BUS-* when it cannot be asked; SB-CLI-REPLY when nobody can believe it. */
  ask<V extends Verb>(verb: V, body: RequestBody<V>, timeoutMs?: number): Promise<ReplyBody<V>>;
  /** The operator's signature on a start; undefined where the settings have no certificate to go with it. */
  sign(text: string, start: string): SignedStart | undefined;
  /** The same of an approval. */
  agree(to: Omit<ApprovalOf, 'nowMs'>): SignedApproval | undefined;
  /** Status events of the mesh, as they come. */
  onStatus(handler: (subject: string, data: Uint8Array) => void): Promise<Unsubscribe>;
  close(): Promise<void>;
}

/** Every verb's answer, in a form that keeps verb and type together. */
const ANSWERS: { [V in Verb]: { reply: z.ZodType<ReplyBody<V>> } } = REQUESTS;

/** @throws SB-BUS-UNREACHABLE, SB-BUS-AUTH and the like. */
export async function connectMesh(settings: PersonsSettings): Promise<MeshClient> {
  const { connectOperator } = await import('@signalbox/bus');
  const bus = await connectOperator({
    servers: settings.servers,
    mesh: settings.mesh,
    seed: settings.key.seed,
    ca: settings.ca,
    jwt: settings.jwt,
    name: `signalbox ${settings.operator}`,
    connectTimeoutMs: CONNECT_MS,
  });
  return meshClient(bus, settings);
}

export function meshClient(bus: OperatorBus, settings: PersonsSettings): MeshClient {
  const { mesh, operator, key, certificate, coordinators } = settings;
  return {
    mesh,
    operator,
    publicKey: key.publicKey,
    async ask<V extends Verb>(verb: V, body: RequestBody<V>, timeoutMs = ANSWER_MS): Promise<ReplyBody<V>> {
      const nonce = randomUUID();
      const request = { mesh, verb, nonce, operator, sentAtMs: Date.now(), body } satisfies Asked;
      const data = await bus.request(verb, seal('request', request, key), timeoutMs);
      const reply = believe(data, nonce, coordinators);
      if (reply.type === 'failed') throw new SignalboxError(reply.failure);
      const parsed = ANSWERS[verb].reply.safeParse(reply.body);
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      throw cliError(
        'SB-CLI-REPLY',
        `the answer to ${verb} has another form: ${issue?.path.join('.')}: ${issue?.message}`,
        {
          next: 'Compare the versions: `signalbox --version` and `signalbox doctor`.',
        },
      );
    },
    sign(text, start) {
      if (certificate === undefined) return undefined;
      return signStart({ text, start, nowMs: Date.now() }, { key, certificate });
    },
    agree(to) {
      return certificate === undefined ? undefined : signAgreement({ ...to, nowMs: Date.now() }, { key, certificate });
    },
    onStatus: (handler) => bus.status(handler),
    close: () => bus.close(),
  };
}

/** The body is checked by the coordinator; here it only has to be an object. */
type Asked = Omit<Request, 'body' | 'critical'> & { body: object };

function believe(data: Uint8Array, nonce: string, trusted: readonly string[]): Reply {
  let reply: Reply;
  try {
    reply = open(data, { kind: 'reply', schema: Reply, trusts: (key) => trusted.includes(key) }).payload;
  } catch (cause) {
    if (!(cause instanceof SignalboxError)) throw cause;
    throw cliError('SB-CLI-REPLY', cause.message, { cause });
  }
  if (reply.nonce !== nonce) throw cliError('SB-CLI-REPLY', 'the answer belongs to another question');
  return reply;
}
