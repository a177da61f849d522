import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { Sha256, sha256File, syncPath } from './files.ts';
import { listFiles } from './tree.ts';

/**
 * What a backup holds, file by file. It is written last, when everything else is on disk: a backup without a manifest is
 * a backup that was not finished.
 */
export type Manifest = z.infer<typeof Manifest>;
export const Manifest = z.object({
  version: z.literal(1),
  home: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: Sha256 })),
});

const MANIFEST = 'manifest.json';

/** The copied data inside a backup. */
export function copyIn(backup: string): string {
  return join(backup, 'data');
}

export async function describe(data: string, signal: AbortSignal): Promise<Manifest['files']> {
  const files: Manifest['files'] = [];
  for (const { path, bytes } of await listFiles(data)) {
    signal.throwIfAborted();
    files.push({ path, bytes, sha256: await sha256File(join(data, path)) });
  }
  return files;
}

/** @returns the manifest's own checksum, for the receipt. */
export async function writeManifest(backup: string, manifest: Manifest): Promise<string> {
  const [part, whole] = [join(backup, `${MANIFEST}.part`), join(backup, MANIFEST)];
  const handle = await open(part, 'wx', 0o600);
  await handle.writeFile(`${JSON.stringify(manifest)}\n`);
  await handle.sync();
  await handle.close();
  await rename(part, whole);
  await syncPath(backup);
  return sha256File(whole);
}

/** Undefined when the backup was not finished. @throws SB-ACT-BACKUP-DAMAGED when it cannot be understood. */
export async function readManifest(backup: string): Promise<Manifest | undefined> {
  const text = await readFile(join(backup, MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const parsed = Manifest.safeParse(parseOrUndefined(text));
  if (!parsed.success) throw actionError('SB-ACT-BACKUP-DAMAGED', `the manifest of ${backup} cannot be read`);
  return parsed.data;
}

/** Reads back every file of a backup. @throws SB-ACT-BACKUP-DAMAGED, naming the first file that is not as it was. */
export async function verifyBackup(
  backup: string,
  { manifestSha256, signal }: { manifestSha256?: string | undefined; signal: AbortSignal },
): Promise<Manifest> {
  const manifest = await readManifest(backup);
  if (!manifest) throw actionError('SB-ACT-BACKUP-DAMAGED', `${backup} has no manifest: it was never finished`);
  if (manifestSha256 !== undefined && (await sha256File(join(backup, MANIFEST))) !== manifestSha256) {
    throw actionError('SB-ACT-BACKUP-DAMAGED', `the manifest of ${backup} is not the one that was written`);
  }
  const different = firstDifference(await describe(copyIn(backup), signal), manifest.files);
  if (different !== undefined) {
    throw actionError('SB-ACT-BACKUP-DAMAGED', `${join(backup, 'data', different)} is not as it was backed up`);
  }
  return manifest;
}

/** Whether a data folder still is what was backed up, one file left out that may differ. */
export async function stillAs(
  manifest: Manifest,
  data: string,
  { except, signal }: { except: string; signal: AbortSignal },
): Promise<boolean> {
  const counted = ({ path }: { path: string }) => path !== except;
  const [now, then] = [(await listFiles(data)).filter(counted), manifest.files.filter(counted)];
  const sizes =
    now.length === then.length && now.every((f, i) => f.path === then[i]?.path && f.bytes === then[i]?.bytes);
  if (!sizes) return false;
  return firstDifference((await describe(data, signal)).filter(counted), then) === undefined;
}

function firstDifference(found: Manifest['files'], wanted: Manifest['files']): string | undefined {
  const have = new Map(found.map((file) => [file.path, file]));
  const changed = wanted.find((file) => have.get(file.path)?.sha256 !== file.sha256);
  const known = new Set(wanted.map((file) => file.path));
  return changed?.path ?? found.find((file) => !known.has(file.path))?.path;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
