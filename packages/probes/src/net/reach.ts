import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Endpoint, type HostContext, parseDuration, REACH_PROBE, type Reached } from '@signalbox/protocol';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';

const With = z.strictObject({
  endpoints: z.array(Endpoint).min(1).max(100).describe('`{ name, address, tls, neededBy }` each.'),
  as: z
    .string()
    .min(1)
    .optional()
    .describe('Who asks, in the words of `neededBy`; an endpoint without that list is needed by everybody.'),
  within: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'a duration such as 5s')
    .default('5s'),
  caFile: z.string().startsWith('/').optional().describe('Authorities to believe besides those of the host.'),
});

export const netReach = defineProbe<z.infer<typeof With>>({
  name: REACH_PROBE,
  version: 1,
  summary:
    'Which of several systems take a connection from this host, TCP or TLS. Nothing is sent: a proxy or a firewall may take a connection for a server that is down.',
  schema: With,
  values: {
    reached: { type: 'number', help: 'endpoints that took a connection' },
    missing: { type: 'number', help: 'needed ones that did not' },
    unreached: { type: 'string', help: 'which, with address and reason; absent when `missing` is 0' },
    endpoints: { type: 'object', help: 'a list with `name`, `address`, `ok`, `needed`, `ms` and `reason` for each' },
  },

  async sample(context, { endpoints, as, within, caFile }) {
    const ca = caFile === undefined ? {} : { ca: await readFile(caFile) };
    const withinMs = parseDuration(within) ?? 0;
    const found = await Promise.all(endpoints.map((endpoint) => reach(context, endpoint, { as, withinMs, ca })));
    const missing = found.filter(({ ok, needed }) => needed && !ok);
    return {
      reached: found.filter(({ ok }) => ok).length,
      missing: missing.length,
      ...(missing.length > 0 && {
        unreached: missing.map(({ name, address, reason }) => `${name} (${address}): ${reason}`).join('; '),
      }),
      endpoints: found,
    };
  },
});

interface How {
  readonly as: string | undefined;
  readonly withinMs: number;
  readonly ca: { ca?: Buffer };
}

/** Never throws: that somebody does not answer is what was asked. */
async function reach(
  { signal }: HostContext,
  { name, address, tls = false, neededBy }: Endpoint,
  { as, withinMs, ca }: How,
): Promise<Reached> {
  const needed = neededBy === undefined || as === undefined || neededBy.includes(as);
  const [host, port] = [address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'), Number(/\d+$/.exec(address)?.[0])];
  const begun = performance.now();
  const ended = (ok: boolean, reason = ''): Reached => {
    return { name, address, ok, needed, ms: Math.round(performance.now() - begun), reason };
  };
  const socket = tls
    ? connectTls({ host, port, ...ca, ...(isIP(host) === 0 && { servername: host }) })
    : connect({ host, port });
  try {
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    await once(socket, tls ? 'secureConnect' : 'connect', { signal: bounded });
    return ended(true);
  } catch (error) {
    return ended(false, reasonOf(error));
  } finally {
    // What comes after the answer is nobody's any more, and must not end the agent.
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ABORT_ERR: 'no answer',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'no such name',
  EAI_AGAIN: 'no such name now',
  EHOSTUNREACH: 'no route',
  ENETUNREACH: 'no route',
  ECONNRESET: 'closed at once',
  EPROTO: 'no TLS',
};

/** In the words of somebody who looks after networks; what has none keeps its code, such as CERT_HAS_EXPIRED. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const code = 'code' in error ? String(error.code) : error.name;
  return REASONS[code] ?? (code.startsWith('ERR_SSL') ? 'no TLS' : code);
}
