import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isJsonObject, type Json, type SecretRef } from '@signalbox/protocol';
import { readAwsReference, StoreError, withSecretStore } from '@signalbox/protocol/aws';
import { agentError } from '../codes.ts';
import type { SecretValues } from './redact.ts';

/** Opens what was sealed to this host; undefined: it was not, or is not as it was sealed. */
export type OpenSealed = (ref: string) => Promise<string | undefined>;

export interface SecretReader {
  /** The value; from then on it is replaced in everything that leaves the host. @throws SB-SECRET-* */
  read(ref: SecretRef): Promise<string>;
}

/**
 * `env:` names what was in the agent's environment when it started; `file:` and `aws:` are read anew each time, so they may
 * rotate; `sealed:` is opened with the key of this host.
 */
export function createSecretReader(
  environment: Readonly<Record<string, string | undefined>>,
  values: SecretValues,
  openSealed: OpenSealed = async () => undefined,
): SecretReader {
  return {
    async read({ $secret: ref }) {
      const value = ref.startsWith('sealed:') ? await fromSealed(ref, openSealed) : await fetchValue(ref, environment);
      values.add(value);
      return value;
    },
  };
}

function fetchValue(ref: string, environment: Readonly<Record<string, string | undefined>>): Promise<string> | string {
  if (ref.startsWith('env:')) return fromEnvironment(ref, environment);
  return ref.startsWith('aws:') ? fromAws(ref) : fromFile(ref);
}

async function fromSealed(ref: string, openSealed: OpenSealed): Promise<string> {
  const value = await openSealed(ref);
  // Which of the two reasons it is nobody can tell, and the box is too long to be repeated.
  if (value === undefined) {
    const [, host] = ref.split(':');
    throw agentError('SB-SECRET-SEALED', `a secret sealed to ${host} does not open here`);
  }
  return value;
}

/** Its own store, its own rights: the coordinator is asked for nothing. */
async function fromAws(ref: string): Promise<string> {
  const { id = '', key } = readAwsReference(ref) ?? {};
  const found = await withSecretStore((store) => store.read(id)).catch((error: unknown) => {
    if (error instanceof StoreError) throw agentError('SB-SECRET-STORE', `${ref}: ${error.message}`);
    throw error;
  });
  const value = found && (key === undefined ? found.value : fieldOf(found.value, key));
  if (value === undefined || value === '') throw agentError('SB-SECRET-MISSING', `${ref} is not there, or empty`);
  return value;
}

function fieldOf(text: string, key: string): string | undefined {
  let fields: Json = null;
  try {
    fields = JSON.parse(text);
  } catch {
    // No object, so no field; what is in it is said to nobody [I9].
  }
  const value = isJsonObject(fields) ? fields[key] : undefined;
  return typeof value === 'string' ? value : undefined;
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
