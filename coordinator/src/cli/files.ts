import { readFileSync, writeFileSync } from 'node:fs';
import { cliError } from './codes.ts';

/** Larger than any runbook or plan that a person can review. */
const LARGEST_BYTES = 8 * 1_048_576;

/** @throws SB-CLI-FILE */
export function readText(path: string): string {
  return readBytes(path, LARGEST_BYTES).toString('utf8');
}

/** @throws SB-CLI-FILE */
export function readBytes(path: string, largestBytes: number): Buffer {
  try {
    const data = readFileSync(path);
    if (data.length > largestBytes) {
      throw cliError('SB-CLI-FILE', `${path} has ${data.length} bytes; the most is ${largestBytes}`);
    }
    return data;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    if (code.startsWith('SB-')) throw cause;
    throw cliError('SB-CLI-FILE', `${path} cannot be read (${code})`, { cause });
  }
}

/** Readable by its owner only: a plan names hosts, paths and where secrets are. @throws SB-CLI-FILE */
export function writePrivate(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
    throw cliError('SB-CLI-FILE', `${path} cannot be written (${code})`, { cause });
  }
}
