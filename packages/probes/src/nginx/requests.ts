import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';

const With = z.strictObject({
  log: z
    .string()
    .startsWith('/')
    .default('/var/log/nginx/access.log')
    .describe('The access log, in the format `combined`.'),
  ignore: z
    .array(z.string().startsWith('/'))
    .default([])
    .describe('Paths that only health checks ask for; what follows a `?` is not compared. They do not count.'),
  since: z
    .string()
    .regex(/^\d+:\d+$/, 'the `position` of an earlier sample')
    .optional()
    .describe('`position` of an earlier sample: what was logged before does not count.'),
});

/** Of one line in the format `combined`: the request in quotes, with its path, and behind it the status. */
const REQUEST = /"(?:[^" \\]+ ([^" ?\\]*))?(?:[^"\\]|\\.)*" (\d{3}) /;
const CHUNK_BYTES = 1 << 20;

export const nginxRequests = defineProbe<z.infer<typeof With>>({
  name: 'nginx.requests',
  version: 1,
  summary: 'What users of a proxy really got, counted in its access log: requests, and those that failed.',
  schema: With,
  values: {
    position: { type: 'string', help: 'which file was read and how far, for `since` of a later sample' },
    requests: {
      type: 'number',
      help: 'answered since, also when the log was rotated once meanwhile (to `.1`); absent when a part of it is gone',
    },
    failed: { type: 'number', help: 'of these, with a status of 500 or more, or 499: the user gave up' },
  },

  async sample(_context, { log, since, ignore }) {
    const file = await open(log, 'r');
    try {
      const { ino, size } = await file.stat();
      if (since === undefined) return { position: `${ino}:${size}` };
      const [inode = 0, bytes = 0] = since.split(':').map(Number);
      const earlier = ino === inode ? NOTHING : await countRotated(`${log}.1`, { inode, bytes, ignore });
      const from = ino === inode ? bytes : 0;
      if (earlier === undefined || size < from) return { position: `${ino}:${size}` };
      const { end, requests, failed } = await count(file, { from, size, ignore });
      const all = { requests: earlier.requests + requests, failed: earlier.failed + failed };
      return { position: `${ino}:${end}`, ...all };
    } finally {
      await file.close();
    }
  },
});

interface Count {
  requests: number;
  failed: number;
}
const NOTHING: Count = { requests: 0, failed: 0 };

/** What is behind that position, when it is in the file that the log was before; undefined when it is not. */
async function countRotated(
  path: string,
  { inode, bytes, ignore }: { inode: number; bytes: number; ignore: readonly string[] },
): Promise<Count | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  try {
    const { ino, size } = (await file?.stat()) ?? { ino: undefined, size: 0 };
    if (file === undefined || ino !== inode || size < bytes) return undefined;
    return await count(file, { from: bytes, size, ignore });
  } finally {
    await file?.close();
  }
}

/** Whole lines only: one that is still being written begins at `end`, and belongs to the next sample. */
async function count(
  file: FileHandle,
  { from, size, ignore }: { from: number; size: number; ignore: readonly string[] },
): Promise<Count & { end: number }> {
  let [requests, failed, rest] = [0, 0, ''];
  for (let at = from; at < size; at += CHUNK_BYTES) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(CHUNK_BYTES, size - at)), 0, undefined, at);
    const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, path = '', status = ''] = REQUEST.exec(line) ?? [];
      if (status === '' || ignore.includes(path)) continue;
      requests += 1;
      if (Number(status) >= 500 || status === '499') failed += 1;
    }
  }
  return { requests, failed, end: size - rest.length };
}
