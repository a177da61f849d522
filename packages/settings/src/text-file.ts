import { readFileSync } from 'node:fs';
import { settingsError } from './codes.ts';
import { besideFile } from './load.ts';

/** The authorities that `caFile` of a settings file names, in PEM; undefined when it names none. @throws SB-CFG-READ */
export function loadCa(settingsFile: string, caFile: string | undefined): string | undefined {
  if (caFile === undefined) return undefined;
  return read(besideFile(settingsFile, caFile), 'caFile');
}

/**
 * The user JWT that `jwtFile` of a settings file names, as the operator of a NATS gives one out: alone, or in a creds file, of
 * which nothing else is taken. Undefined when none is named.
 * @throws SB-CFG-READ, SB-CFG-VALUE
 */
export function loadJwt(settingsFile: string, jwtFile: string | undefined): string | undefined {
  if (jwtFile === undefined) return undefined;
  const path = besideFile(settingsFile, jwtFile);
  const found = /(?:^|\n)\s*([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)\s*(?:\n|$)/.exec(read(path, 'jwtFile'));
  if (found?.[1] === undefined) throw settingsError('SB-CFG-VALUE', `jwtFile ${path} holds no JWT`);
  return found[1];
}

function read(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw settingsError('SB-CFG-READ', `${key} ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
