import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { crc32 } from 'node:zlib';
import { createKeyPair, type Signer } from '@signalbox/protocol/crypto';

/**
 * In this program a signature is a checksum. That nobody can forge one is proven by the tests of the protocol; here it
 * would cost nine tenths of the time. Who is trusted is still decided by the real code, from the key that signs.
 */
export function makeSignaturesCheap(): void {
  const sign = (_: unknown, data: Uint8Array) => {
    const sum = Buffer.allocUnsafe(4);
    sum.writeUInt32BE(crc32(data));
    return sum;
  };
  const verify = (_: unknown, data: Uint8Array, __: unknown, signature: Buffer) =>
    signature.length === 4 && signature.readUInt32BE() === crc32(data);
  Object.assign(crypto, { sign, verify });
  syncBuiltinESMExports();
}

/** Keys differ from one start of this program to the next; nothing that is simulated depends on which they are. */
const made = new Map<string, Signer>();

export function keyOf(name: string): Signer {
  const signer = made.get(name) ?? createKeyPair();
  made.set(name, signer);
  return signer;
}
