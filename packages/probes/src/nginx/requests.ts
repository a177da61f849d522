import { open } from 'node:fs/promises';
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
  since: z.int().min(0).optional().describe('`bytes` of an earlier sample: what was logged before does not count.'),
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
    bytes: { type: 'number', unit: 'bytes', help: 'how far the log was read, for `since` of a later sample' },
    requests: {
      type: 'number',
      help: 'answered since; absent when the log was rotated meanwhile: nobody knows what it held',
    },
    failed: { type: 'number', help: 'of these, with a status of 500 or more, or 499: the user gave up' },
  },

  async sample(_context, { log, since, ignore }) {
    const file = await open(log, 'r');
    try {
      const { size } = await file.stat();
      if (since === undefined || size < since) return { bytes: size };
      let [requests, failed, rest] = [0, 0, ''];
      for (let at = since; at < size; at += CHUNK_BYTES) {
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
      // A line that is still being written belongs to the next sample.
      return { bytes: size - rest.length, requests, failed };
    } finally {
      await file.close();
    }
  },
});
