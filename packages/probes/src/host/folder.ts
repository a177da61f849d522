import { readdir, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';

const With = z.strictObject({
  folder: z.string().startsWith('/').describe('The folder; it need not be there yet.'),
});

const GIB = 2 ** 30;

export const hostFolder = defineProbe<z.infer<typeof With>>({
  name: 'host.folder',
  version: 1,
  summary:
    'What a checklist wants of a folder with backups: room on its disk, and how old and how large the newest in it is.',
  schema: With,
  values: {
    there: { type: 'boolean', help: 'whether the folder is there' },
    freeGib: { type: 'number', unit: 'GiB', help: 'free on the disk that it is on, or would be on' },
    entries: { type: 'number', help: 'files and folders in it' },
    newest: {
      type: 'string',
      help: 'the newest file, or folder by the files directly in it; absent when all are empty',
    },
    newestAgeHours: { type: 'number', unit: 'h', help: 'since it was last written' },
    newestBytes: { type: 'number', unit: 'bytes', help: 'its size' },
  },

  async sample(context, { folder }) {
    const disk = await statfs(await existing(folder));
    const freeGib = Math.floor((disk.bavail * disk.bsize * 10) / GIB) / 10;
    const names = await namesIn(folder);
    if (names === undefined) return { there: false, freeGib };
    const found = await Promise.all(names.map(async (name) => ({ name, ...(await entryAt(join(folder, name))) })));
    const [newest] = found.filter(({ bytes }) => bytes > 0).sort((a, b) => b.writtenAtMs - a.writtenAtMs);
    const common = { there: true, freeGib, entries: found.length };
    if (newest === undefined) return common;
    const newestAgeHours = Math.round((context.nowMs() - newest.writtenAtMs) / 360_000) / 10;
    return { ...common, newest: newest.name, newestAgeHours, newestBytes: newest.bytes };
  },
});

/** A file, or a folder with the files directly in it, as each dump has one. */
async function entryAt(path: string): Promise<{ bytes: number; writtenAtMs: number }> {
  const is = await stat(path);
  if (!is.isDirectory()) return { bytes: is.isFile() ? is.size : 0, writtenAtMs: is.mtimeMs };
  const inside = await Promise.all(((await namesIn(path)) ?? []).map((name) => stat(join(path, name))));
  const files = inside.filter((it) => it.isFile());
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { bytes, writtenAtMs: Math.max(0, ...files.map(({ mtimeMs }) => mtimeMs)) };
}

/** Undefined when the folder is not there. */
function namesIn(folder: string): Promise<string[] | undefined> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** The folder, or the nearest one above it that is there: the disk that it would be on. */
async function existing(folder: string): Promise<string> {
  for (let at = folder; at !== '/'; at = dirname(at)) if (await stat(at).catch(() => undefined)) return at;
  return '/';
}
