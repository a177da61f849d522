import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';

/**
 * Ed25519 keys in the nkey encoding that NATS uses (base32 of prefix, 32 key bytes, CRC-16/XMODEM little-endian; source:
 * github.com/nats-io/nkeys). One key is a host's identity on the bus and the signer of its messages. Signing goes through
 * node:crypto, which is about a hundred times faster than a JavaScript implementation.
 */
export type KeyRole = 'user' | 'account';

const PREFIX: Record<KeyRole, number> = { user: 20 << 3, account: 0 };
const SEED_PREFIX = 18 << 3;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEADER = Buffer.from('302a300506032b6570032100', 'hex');

export interface Signer {
  /** Public key in nkey encoding, `U...`. */
  readonly publicKey: string;
  sign(data: Uint8Array): Uint8Array;
  /** The key that this one replaces: until it is withdrawn it signs beside it, so that who knows either believes. */
  readonly former?: Signer | undefined;
}

export interface KeyPair extends Signer {
  /** Secret seed in nkey encoding, `SU...`. Never logged, never sent. */
  readonly seed: string;
}

export function createKeyPair(role: KeyRole = 'user'): KeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  const raw = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(PKCS8_HEADER.length);
  return keyPairFromSeed(encodeSeed(role, raw));
}

/** @throws Error when the text is not an nkey seed of a user or an account. */
export function keyPairFromSeed(seed: string): KeyPair {
  const bytes = decode(seed.trim());
  if ((bytes[0] ?? 0) >> 3 !== SEED_PREFIX >> 3 || bytes.length !== 34) throw new Error('not an nkey seed');
  const prefix = (((bytes[0] ?? 0) & 7) << 5) | ((bytes[1] ?? 0) >> 3);
  const role = roleOf(prefix);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, bytes.subarray(2)]), format: 'der', type: 'pkcs8' });
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_HEADER.length);
  const publicKey = encode(Buffer.concat([Buffer.from([PREFIX[role]]), raw]));
  return { publicKey, seed: seed.trim(), sign: (data) => sign(null, data, key) };
}

/** True only when the text is a well-formed public user or account key. */
export function isPublicKey(text: string): boolean {
  try {
    return publicKeyObject(text) !== undefined;
  } catch {
    return false;
  }
}

export function verifySignature(publicKey: string, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, data, publicKeyObject(publicKey), signature);
  } catch {
    return false;
  }
}

const cache = new Map<string, KeyObject>();

function publicKeyObject(text: string): KeyObject {
  const known = cache.get(text);
  if (known) return known;
  const bytes = decode(text);
  if (bytes.length !== 33) throw new Error('not a public nkey');
  roleOf(bytes[0] ?? 0xff);
  const key = createPublicKey({ key: Buffer.concat([SPKI_HEADER, bytes.subarray(1)]), format: 'der', type: 'spki' });
  // Bounded: a stranger may send as many well-formed keys as it likes.
  if (cache.size >= 10_000) cache.clear();
  cache.set(text, key);
  return key;
}

function roleOf(prefix: number): KeyRole {
  if (prefix === PREFIX.user) return 'user';
  if (prefix === PREFIX.account) return 'account';
  throw new Error('not a user or account key');
}

function encodeSeed(role: KeyRole, raw: Uint8Array): string {
  const prefix = PREFIX[role];
  return encode(Buffer.concat([Buffer.from([SEED_PREFIX | (prefix >> 5), (prefix & 31) << 3]), raw]));
}

function encode(data: Uint8Array): string {
  const crc = crc16(data);
  const bytes = Buffer.concat([data, Buffer.from([crc & 0xff, crc >> 8])]);
  let out = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += BASE32[(value >> bits) & 31];
    }
  }
  return bits > 0 ? out + BASE32[(value << (5 - bits)) & 31] : out;
}

function decode(text: string): Buffer {
  const out: number[] = [];
  let bits = 0;
  let value = 0;
  for (const char of text) {
    const index = BASE32.indexOf(char);
    if (index < 0) throw new Error('not base32');
    value = ((value << 5) | index) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push((value >> bits) & 0xff);
    }
  }
  const bytes = Buffer.from(out);
  const body = bytes.subarray(0, -2);
  if (bytes.length < 3 || crc16(body) !== bytes.readUInt16LE(bytes.length - 2))
    throw new Error('checksum does not fit');
  return body;
}

function crc16(data: Uint8Array): number {
  let crc = 0;
  for (const byte of data) {
    crc ^= byte << 8;
    for (let i = 0; i < 8; i++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}
