import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';

const With = z.strictObject({
  host: z.string().min(1).max(253).describe('Where to connect.'),
  port: z.int().min(1).max(65_535).default(443),
  name: z.string().min(1).max(253).optional().describe('The name that clients use; the host when not given.'),
  caFile: z.string().startsWith('/').optional().describe('Authorities to believe besides those of the host.'),
});

const DAY_MS = 24 * 60 * 60 * 1_000;
const WITHIN_MS = 10_000;

export const tlsCertificate = defineProbe<z.infer<typeof With>>({
  name: 'tls.certificate',
  version: 1,
  summary:
    'The certificate that a server really presents: whether clients believe it, for which names, and for how long.',
  schema: With,
  values: {
    trusted: { type: 'boolean', help: 'for that name, by the authorities of this host' },
    reason: { type: 'string', help: 'why it is not; absent when it is' },
    daysLeft: { type: 'number', unit: 'd', help: 'whole days until it ends; negative when it has' },
    names: { type: 'string', help: 'names that it is for, with a comma between' },
    issuer: { type: 'string', help: 'who signed it' },
  },

  async sample(context, { host, port, name = host, caFile }) {
    const ca = caFile === undefined ? {} : { ca: await readFile(caFile) };
    // What is wrong with it is what is asked for: it is looked at all the same, and nothing is sent.
    const socket = connect({ host, port, servername: name, rejectUnauthorized: false, ...ca });
    try {
      const signal = AbortSignal.any([context.signal, AbortSignal.timeout(WITHIN_MS)]);
      await once(socket, 'secureConnect', { signal });
      const { valid_to, subjectaltname = '', issuer } = socket.getPeerCertificate();
      const reason = socket.authorizationError;
      return {
        trusted: socket.authorized,
        ...(reason ? { reason: reason instanceof Error ? reason.message : String(reason) } : {}),
        daysLeft: Math.floor((Date.parse(valid_to) - context.nowMs()) / DAY_MS),
        names: subjectaltname.replace(/DNS:|IP Address:/g, '').replace(/, /g, ','),
        issuer: String(issuer?.CN ?? issuer?.O ?? ''),
      };
    } catch (cause) {
      const why = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.name) : 'failed';
      throw probeError('SB-PROBE-TLS', `${host}:${port}: ${why}`, { cause });
    } finally {
      socket.destroy();
    }
  },
});
