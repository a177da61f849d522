import type { z } from 'zod';
import { protocolError } from '../codes.ts';
import { Envelope, type EnvelopeKind, KNOWN_CRITICAL, MAX_MESSAGE_BYTES } from '../envelope.ts';
import type { Json } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { compiled } from '../wire.ts';
import { type Signer, verifySignature } from './keys.ts';

/**
 * Seals a payload: the exact text is what is signed, stored and later verified; nobody serialises it a second time.
 * The kind is part of the signed bytes, so a report can never be passed off as a command.
 */
export function seal(kind: EnvelopeKind, payload: object, ...signers: readonly [Signer, ...Signer[]]): Uint8Array {
  const text = JSON.stringify(payload);
  const bytes = signedBytes(kind, text);
  const all = signers.flatMap((signer) => (signer.former ? [signer, signer.former] : [signer]));
  const signatures = all.map((signer) => ({
    key: signer.publicKey,
    sig: Buffer.from(signer.sign(bytes)).toString('base64url'),
  }));
  return Buffer.from(JSON.stringify({ v: 1, kind, payload: text, signatures }));
}

export interface Opened<T> {
  payload: T;
  /** The exact text that was signed. */
  text: string;
  /** Public keys whose signatures were verified; at least one of them is trusted. */
  keys: string[];
}

/**
 * Opens a sealed message: size, envelope, version, signatures, trust, `critical`, shape, in this order, so that nothing
 * of a message is looked at before its signature is.
 * @throws SignalboxError with a code of PROTOCOL_CODES.
 */
export function open<T>(
  data: Uint8Array,
  expect: { kind: EnvelopeKind; schema: z.ZodType<T>; trusts: (publicKey: string) => boolean },
): Opened<T> {
  const envelope = readEnvelope(data, expect.kind);
  if (envelope.signatures.length === 0) throw protocolError('SB-MSG-UNSIGNED', `this ${expect.kind} is not signed`);
  const bytes = signedBytes(expect.kind, envelope.payload);
  for (const { key, sig } of envelope.signatures) {
    if (!verifySignature(key, bytes, Buffer.from(sig, 'base64url'))) {
      throw protocolError('SB-MSG-SIGNATURE', `the signature of ${key.slice(0, 60)} does not fit this ${expect.kind}`);
    }
  }
  const keys = envelope.signatures.map(({ key }) => key);
  if (!keys.some(expect.trusts)) {
    throw protocolError('SB-MSG-UNTRUSTED', `${keys[0]} is not trusted to send a ${expect.kind}`);
  }
  const value = parseJson(envelope.payload);
  refuseUnknownCritical(value);
  const parsed = compiled(expect.schema).safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw protocolError('SB-MSG-SHAPE', `${expect.kind}: ${issue?.path.join('.') || 'payload'}: ${issue?.message}`);
  }
  return { payload: parsed.data, text: envelope.payload, keys };
}

function readEnvelope(data: Uint8Array, kind: EnvelopeKind): Envelope {
  if (data.length > MAX_MESSAGE_BYTES) {
    throw protocolError('SB-MSG-SIZE', `${data.length} bytes; the most is ${MAX_MESSAGE_BYTES}`);
  }
  const value = parseJson(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'));
  if (isJsonObject(value) && typeof value.v === 'number' && value.v !== 1) {
    throw protocolError('SB-MSG-VERSION', `envelope version ${value.v}; this program knows version 1`);
  }
  const parsed = compiled(Envelope).safeParse(value);
  if (!parsed.success) throw protocolError('SB-MSG-JSON', 'not an envelope of version 1');
  if (parsed.data.kind !== kind) {
    throw protocolError('SB-MSG-SHAPE', `a ${parsed.data.kind} came where a ${kind} belongs`);
  }
  return parsed.data;
}

function refuseUnknownCritical(value: Json): void {
  const critical = isJsonObject(value) && Array.isArray(value.critical) ? value.critical : [];
  const unknown = critical.find((name) => typeof name !== 'string' || !KNOWN_CRITICAL.has(name));
  if (unknown !== undefined)
    throw protocolError('SB-MSG-CRITICAL', `critical field ${JSON.stringify(unknown)} is not known`);
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw protocolError('SB-MSG-JSON', 'not JSON', { cause });
  }
}

function signedBytes(kind: EnvelopeKind, text: string): Uint8Array {
  return Buffer.from(`signalbox/v1/${kind}\n${text}`);
}
