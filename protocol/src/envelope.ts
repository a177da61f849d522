import { z } from 'zod';
import { wire } from './wire.ts';

/** The largest message of this protocol; NATS's own default is the same. */
export const MAX_MESSAGE_BYTES = 1_048_576;

export type EnvelopeKind = z.infer<typeof EnvelopeKind>;
export const EnvelopeKind = z.enum([
  'command',
  'control',
  'report',
  'health',
  'query',
  'answer',
  'request',
  'reply',
  'join',
  'joined',
  'record',
  'keys',
  'plan',
  'certificate',
  'approval',
  'audit',
]);

/** Version 1, for good. `payload` is the exact JSON text that was signed. */
export type Envelope = z.infer<typeof Envelope>;
export const Envelope = wire({
  v: z.literal(1),
  kind: EnvelopeKind,
  payload: z.string(),
  signatures: z.array(wire({ key: z.string(), sig: z.string() })),
});

/** Payload fields that may be listed in `critical` and that this version honours. A name not in here is refused. */
export const KNOWN_CRITICAL: ReadonlySet<string> = new Set([
  'notAfterMs',
  'journal',
  'machine',
  'epoch',
  'nonce',
  'planHash',
  'crossing',
]);

/** Names of payload fields that the receiver must understand or refuse the whole message. */
export const Critical = z.array(z.string()).optional();
