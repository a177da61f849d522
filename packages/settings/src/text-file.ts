import { readFileSync } from 'node:fs';
import { settingsError } from './codes.ts';
import { besideFile } from './load.ts';

/**
 * The user JWT that `jwtFile` of a settings file names, as the operator of a NATS gives one out: alone, or in a creds file, of
 * which nothing else is taken. Undefined when none is named.
 * @throws SB-CFG-READ, SB-CFG-VALUE
 */
export function loadJwt(settingsFile: string, jwtFile: string | undefined): string | undefined {
  const text = loadText(settingsFile, 'jwtFile', jwtFile);
  if (text === undefined) return undefined;
  const found = /(?:^|\n)\s*([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)\s*(?:\n|$)/.exec(text);
  if (found?.[1] === undefined) throw settingsError('SB-CFG-VALUE', `jwtFile ${jwtFile} holds no JWT`);
  return found[1];
}

/**
 * A file that `key` of a settings file names, as text; undefined when it names none: authorities in PEM, a certificate.
 * @throws SB-CFG-READ
 */
export function loadText(settingsFile: string, key: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const path = besideFile(settingsFile, file);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw settingsError('SB-CFG-READ', `${key} ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
