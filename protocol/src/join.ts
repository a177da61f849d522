import { z } from 'zod';
import { Failure } from './failure.ts';
import { HostName, MeshName } from './names.ts';
import { wire } from './wire.ts';

/**
 * What an operator hands to a host that is to join: whom to reach, whom to believe, and a key that opens the door once.
 * It is as secret as that key until it has been used.
 */
export type JoinToken = z.infer<typeof JoinToken>;
export const JoinToken = wire({
  v: z.literal(1),
  mesh: MeshName,
  host: HostName,
  servers: z.array(z.string()).min(1),
  /** Authorities in PEM; absent where NATS has no TLS. */
  ca: z.string().optional(),
  /** Public keys of the coordinators: the first trust of the host. */
  coordinators: z.array(z.string()).min(1),
  /** Public key of who vouches for operators; absent where a coordinator's word is enough. */
  authority: z.string().optional(),
  /** nkey seed, made where the token was asked for. */
  seed: z.string(),
  expiresAtMs: z.int(),
});

/** Signed twice: by the key of the token and by the host's own, which the host has made itself. */
export type JoinRequest = z.infer<typeof JoinRequest>;
export const JoinRequest = wire({
  mesh: MeshName,
  host: HostName,
  tokenKey: z.string(),
  /** Public key of the host. */
  key: z.string(),
  nonce: z.string(),
  sentAtMs: z.int(),
});

export type JoinReply = z.infer<typeof JoinReply>;
export const JoinReply = z.discriminatedUnion('type', [
  wire({ type: z.literal('joined'), nonce: z.string(), labels: z.record(z.string(), z.string()) }),
  wire({ type: z.literal('failed'), nonce: z.string(), failure: Failure }),
]);

const PREFIX = 'sbjoin_';

export function writeToken(token: JoinToken): string {
  return `${PREFIX}${Buffer.from(JSON.stringify(token)).toString('base64url')}`;
}

/** @returns undefined when the text is no token of this version. */
export function readToken(text: string): JoinToken | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) return undefined;
  try {
    const json = JSON.parse(Buffer.from(trimmed.slice(PREFIX.length), 'base64url').toString('utf8')) as unknown;
    return JoinToken.safeParse(json).data;
  } catch {
    return undefined;
  }
}
