import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { SecretRef } from '@signalbox/protocol';
import { agentError } from '../codes.ts';
import type { SecretValues } from './redact.ts';

export interface SecretReader {
  /** The value; from then on it is replaced in everything that leaves the host. @throws SB-SECRET-* */
  read(ref: SecretRef): Promise<string>;
}

/** `env:` names what was in the agent's environment when it started; `file:` is read anew each time, so it may rotate. */
export function createSecretReader(
  environment: Readonly<Record<string, string | undefined>>,
  values: SecretValues,
): SecretReader {
  return {
    async read({ $secret: ref }) {
      const value = ref.startsWith('env:') ? fromEnvironment(ref, environment) : await fromFile(ref);
      values.add(value);
      return value;
    },
  };
}

function fromEnvironment(ref: string, environment: Readonly<Record<string, string | undefined>>): string {
  const value = environment[ref.slice('env:'.length)];
  if (value === undefined || value === '') {
    throw agentError('SB-SECRET-MISSING', `${ref} is not in the environment of the agent`);
  }
  return value;
}

async function fromFile(ref: string): Promise<string> {
  const path = ref.slice('file:'.length);
  // Not through a symbolic link: whoever can place one could otherwise have any file of the agent read.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause: NodeJS.ErrnoException) => {
    throw agentError('SB-SECRET-MISSING', `${ref}: ${cause.code ?? cause.message}`, { cause });
  });
  try {
    const { mode, uid } = await file.stat();
    const owners = [0, process.geteuid?.()];
    if ((mode & 0o077) !== 0 || !owners.includes(uid)) {
      const text = `${ref} has mode 0${(mode & 0o777).toString(8)} and owner ${uid}`;
      throw agentError('SB-SECRET-MODE', text);
    }
    const value = (await file.readFile('utf8')).replace(/\r?\n$/, '');
    if (value === '') throw agentError('SB-SECRET-MISSING', `${ref} is empty`);
    return value;
  } finally {
    await file.close();
  }
}
