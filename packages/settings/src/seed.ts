import { readFileSync, statSync } from 'node:fs';
import { type KeyPair, keyPairFromSeed } from '@signalbox/protocol/crypto';
import { settingsError } from './codes.ts';

/**
 * Reads an nkey seed. Only its owner may be able to read the file: whoever has the seed is this program on the mesh.
 * @throws SB-CFG-SEED; the seed itself is never part of the message.
 */
export function loadSeed(path: string): KeyPair {
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      throw settingsError('SB-CFG-SEED', `${path} may be read by others than its owner`);
    }
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (code.startsWith('SB-')) throw cause;
    throw settingsError('SB-CFG-SEED', `${path} cannot be read (${code || 'unknown error'})`, { cause });
  }
  try {
    return keyPairFromSeed(text);
  } catch {
    throw settingsError('SB-CFG-SEED', `${path} holds no nkey seed`);
  }
}
