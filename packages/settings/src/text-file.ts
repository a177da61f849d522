import { readFileSync } from 'node:fs';
import { settingsError } from './codes.ts';
import { besideFile } from './load.ts';

/** The authorities that `caFile` of a settings file names, in PEM; undefined when it names none. @throws SB-CFG-READ */
export function loadCa(settingsFile: string, caFile: string | undefined): string | undefined {
  if (caFile === undefined) return undefined;
  const path = besideFile(settingsFile, caFile);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw settingsError('SB-CFG-READ', `caFile ${path}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
}
