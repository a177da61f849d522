import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { HostContext } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { succeed } from '../support/exec.ts';
import { Sha256, sha256File, syncFolderOf, syncPath } from '../support/files.ts';
import { type Connection, withService } from './connection.ts';
import { Fingerprint, fingerprint, inOneMoment } from './fingerprint.ts';

/** What a dump holds. Written last: a dump without it was never finished. */
export type DumpManifest = z.infer<typeof DumpManifest>;
export const DumpManifest = z.object({
  version: z.literal(1),
  database: z.string(),
  bytes: z.int(),
  sha256: Sha256,
  fingerprint: Fingerprint,
});

/** Inside the folder of a dump. */
export const dumpIn = (folder: string) => join(folder, 'database.dump');
const manifestIn = (folder: string) => join(folder, 'manifest.json');

/**
 * Dumps a database into a new folder that only the agent may read. Dump and fingerprint see the same moment, also while
 * others write. @throws SB-ACT-BACKUP-EXISTS, SB-ACT-DUMP-DAMAGED
 */
export async function writeDump(context: HostContext, connection: Connection, folder: string): Promise<DumpManifest> {
  await mkdir(dirname(folder), { recursive: true, mode: 0o700 });
  await makeRoom(context, folder);
  await mkdir(folder, { mode: 0o700 });
  const file = dumpIn(folder);
  const fresh = await inOneMoment(context, connection, async (moment) => {
    const argv = [
      'pg_dump',
      '--format=custom',
      '--no-password',
      `--snapshot=${moment.snapshot}`,
      `--file=${file}`,
    ] as const;
    await withService(context, connection, ({ env }) => succeed(context, argv, { env }));
    return fingerprint(context, connection, moment);
  });
  await requireReadable(context, file);
  await syncPath(file);
  const { bytes, sha256 } = { bytes: (await stat(file)).size, sha256: await sha256File(file) };
  const database = await withService(context, connection, async ({ address }) => address.database);
  const manifest: DumpManifest = { version: 1, database, bytes, sha256, fingerprint: fresh };
  const handle = await open(`${manifestIn(folder)}.part`, 'wx', 0o600);
  await handle.writeFile(`${JSON.stringify(manifest)}\n`);
  await handle.sync();
  await handle.close();
  await rename(`${manifestIn(folder)}.part`, manifestIn(folder));
  await syncPath(folder);
  await syncFolderOf(folder);
  return manifest;
}

/** A second attempt finds what the first one left unfinished and moves it out of its way; a finished dump stays. */
async function makeRoom(context: HostContext, folder: string): Promise<void> {
  if (!(await stat(folder).catch(() => undefined))) return;
  if (await readDump(folder)) throw actionError('SB-ACT-BACKUP-EXISTS', `${folder} is there already`);
  await rename(folder, `${folder}.unfinished-${context.executionId}`);
}

/** The manifest of a finished dump; undefined when there is none. @throws SB-ACT-DUMP-DAMAGED when it cannot be read. */
export async function readDump(folder: string): Promise<DumpManifest | undefined> {
  const text = await readFile(manifestIn(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const parsed = DumpManifest.safeParse(parseOrUndefined(text));
  if (!parsed.success) throw actionError('SB-ACT-DUMP-DAMAGED', `the manifest of ${folder} cannot be read`);
  return parsed.data;
}

/** Reads the whole dump back. @throws SB-ACT-DUMP-DAMAGED */
export async function verifyDump(context: HostContext, folder: string, sha256?: string): Promise<DumpManifest> {
  const manifest = await readDump(folder);
  if (!manifest) throw actionError('SB-ACT-DUMP-DAMAGED', `${folder} has no manifest: it was never finished`);
  const found = await sha256File(dumpIn(folder));
  if (found !== manifest.sha256 || (sha256 !== undefined && found !== sha256)) {
    throw actionError(
      'SB-ACT-DUMP-DAMAGED',
      `${basename(folder)} has sha256 ${found}, not ${sha256 ?? manifest.sha256}`,
    );
  }
  await requireReadable(context, dumpIn(folder));
  return manifest;
}

/** A file that ends early is found out now and not when it is needed [T16]. */
async function requireReadable(context: HostContext, file: string): Promise<void> {
  await succeed(context, ['pg_restore', '--list', file], { quiet: true }).catch((cause: unknown) => {
    throw actionError('SB-ACT-DUMP-DAMAGED', `pg_restore cannot read ${file}`, { cause });
  });
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
