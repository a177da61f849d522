import { readFileSync, statSync } from 'node:fs';
import { type KeyPair, keyPairFromSeed } from '@signalbox/protocol/crypto';
import { settingsError } from './codes.ts';

/** A seed that is encrypted with a passphrase, as `age --armor --passphrase` writes it. */
export interface LockedSeed {
  readonly path: string;
  readonly armored: string;
}

const ARMORED = '-----BEGIN AGE ENCRYPTED FILE-----';

/**
 * Reads an nkey seed. Only its owner may be able to read the file: whoever has the seed is this program on the mesh.
 * @throws SB-CFG-SEED, SB-CFG-SEED-LOCKED, SB-CFG-SEED-MODE; what is in the file is never part of the message [I9].
 */
export function loadSeed(path: string): KeyPair {
  return parseSeed(path, keyPairFromSeed);
}

/** As `loadSeed`, for who can ask a person for the passphrase of a locked one. */
export function loadPersonsSeed(path: string): KeyPair | LockedSeed {
  const text = readSeed(path);
  return text.startsWith(ARMORED) ? { path, armored: text } : parse(path, text, keyPairFromSeed);
}

/** As `loadSeed`, for a seed of any kind: `parse` throws when the text is none. */
export function parseSeed<T>(path: string, read: (text: string) => T): T {
  const text = readSeed(path);
  if (text.startsWith(ARMORED)) throw settingsError('SB-CFG-SEED-LOCKED', `${path} is encrypted`);
  return parse(path, text, read);
}

function readSeed(path: string): string {
  let text: string;
  let mode: number;
  try {
    mode = statSync(path).mode;
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw settingsError('SB-CFG-SEED', `${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  if ((mode & 0o077) !== 0) {
    throw settingsError('SB-CFG-SEED-MODE', `${path} has mode 0${(mode & 0o777).toString(8)}; it must be 0600`);
  }
  return text;
}

function parse<T>(path: string, text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch {
    // Without the reason: it could quote what is in the file.
    throw settingsError('SB-CFG-SEED', `${path} holds no nkey seed`);
  }
}
