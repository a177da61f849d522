import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type HostRecord, SignalboxError } from '@signalbox/protocol';
import { readKeys } from '@signalbox/protocol/sealed';
import { z } from 'zod';
import { cliError } from './codes.ts';
import { readText, writePrivate } from './files.ts';
import type { LoadedSettings } from './settings.ts';

const KnownHosts = z.record(z.string(), z.string());

interface Wanted {
  readonly host: string;
  /** What somebody has read on the host itself. */
  readonly key: string | undefined;
  readonly settings: Pick<LoadedSettings, 'mesh' | 'file'>;
}

/**
 * The curve key of a host, signed by the key that this operator knows the host by. The coordinator passes both on and is
 * believed in neither: else it could name a key of its own, and read what is sealed.
 * @throws SB-CLI-HOST-KEY
 */
export function curveKeyOf(hosts: readonly HostRecord[], { host, key, settings }: Wanted): string {
  const record = hosts.find(({ name }) => name === host);
  if (record === undefined) throw cliError('SB-CLI-HOST-KEY', `${host} is not enrolled in mesh ${settings.mesh}`);
  const statement = record.health?.keys;
  if (statement === undefined) throw cliError('SB-CLI-HOST-KEY', `${host} has not told a curve key`);
  const file = join(dirname(settings.file), `${settings.mesh}.known-hosts.json`);
  const known = readKnown(file);
  const trusted = key ?? known[host];
  if (trusted === undefined) {
    const message = `nobody has said yet which key ${host} has; the coordinator says ${record.key}`;
    throw cliError('SB-CLI-HOST-KEY', message);
  }
  const { curve, signedBy } = believe(statement, { mesh: settings.mesh, host, trusted });
  // A key that the known one has signed together with is its successor.
  const now = signedBy.includes(record.key) ? record.key : trusted;
  if (known[host] !== now) writePrivate(file, `${JSON.stringify({ ...known, [host]: now }, null, 2)}\n`);
  return curve;
}

function believe(statement: string, wanted: { mesh: string; host: string; trusted: string }) {
  try {
    return readKeys(statement, wanted);
  } catch (cause) {
    if (!(cause instanceof SignalboxError)) throw cause;
    const message = `the curve key of ${wanted.host} is not signed by ${wanted.trusted}: ${cause.message}`;
    throw cliError('SB-CLI-HOST-KEY', message, { cause });
  }
}

function readKnown(file: string): Readonly<Record<string, string>> {
  if (!existsSync(file)) return {};
  const parsed = KnownHosts.safeParse(json(readText(file)));
  if (!parsed.success) throw cliError('SB-CLI-FILE', `${file} is no list of known hosts`);
  return parsed.data;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
