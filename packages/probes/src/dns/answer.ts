import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseDuration } from '@signalbox/protocol';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { Timeout } from '../support/get.ts';

const Address = z.string().refine((text) => isIP(text) !== 0, 'an IP address');
const Server = z
  .string()
  .refine(
    (text) => isIP(text) !== 0 || /^(\d+(\.\d+){3}|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/.test(text),
    'address or address:port',
  );

const With = z.strictObject({
  name: z
    .string()
    .max(253)
    .regex(/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/, 'a domain name without a dot at its end')
    .describe('What is asked for, in full: no search list is used.'),
  type: z.enum(['A', 'AAAA']).default('A').describe('A name that is an alias (CNAME) is followed to its addresses.'),
  servers: z
    .array(Server)
    .min(1)
    .optional()
    .describe('Each is asked, and all must answer. Left out: the resolver of this host, without its hosts file.'),
  expect: z.array(Address).min(1).optional().describe('All addresses that each server should answer, and no others.'),
  timeout: Timeout.describe('How long one server may take; it is asked a second time when it is silent.'),
});
type With = z.infer<typeof With>;

interface Answer {
  addresses: string[];
  /** Of the entry that is kept longest. */
  ttlSeconds: number | undefined;
}

export const dnsAnswer = defineProbe<With>({
  name: 'dns.answer',
  version: 1,
  summary: 'What DNS servers answer for a name, and for how long whoever was answered goes on believing it.',
  schema: With,
  values: {
    answers: { type: 'string', help: 'all addresses that any server gave, sorted; absent when none gave one' },
    ttlSeconds: {
      type: 'number',
      unit: 's',
      help: 'the longest TTL of all; a resolver tells what is left of it, the servers of the zone the whole',
    },
    wrong: { type: 'number', help: 'servers whose answer is not exactly `expect`; absent without `expect`' },
    servers: { type: 'number', help: 'servers that were asked' },
  },

  async sample(_context, input) {
    const servers = input.servers ?? new Resolver().getServers();
    const answers = await Promise.all(servers.map((server) => ask(server, input)));
    const addresses = [...new Set(answers.flatMap((answer) => answer.addresses))].sort();
    const ttls = answers.flatMap(({ ttlSeconds }) => ttlSeconds ?? []);
    const wanted = input.expect?.map(canonical).sort().join();
    return {
      servers: servers.length,
      ...(addresses.length > 0 && { answers: addresses.join(', '), ttlSeconds: Math.max(...ttls) }),
      ...(wanted !== undefined && { wrong: answers.filter((answer) => answer.addresses.join() !== wanted).length }),
    };
  },
});

/** That there is no such name or address is an answer; silence and refusal are none. @throws SB-PROBE-DNS */
async function ask(server: string, { name, type, timeout }: With): Promise<Answer> {
  const resolver = new Resolver({ timeout: parseDuration(timeout) ?? 5_000, tries: 2 });
  resolver.setServers([server]);
  const resolve = type === 'A' ? resolver.resolve4.bind(resolver) : resolver.resolve6.bind(resolver);
  try {
    const records = await resolve(name, { ttl: true });
    return {
      addresses: [...new Set(records.map(({ address }) => canonical(address)))].sort(),
      ttlSeconds: Math.max(...records.map(({ ttl }) => ttl)),
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
    if (code === 'ENOTFOUND' || code === 'ENODATA') return { addresses: [], ttlSeconds: undefined };
    throw probeError('SB-PROBE-DNS', `${server} does not answer for ${name} ${type}: ${code}`);
  }
}

/** IPv6 has many spellings of one address; a URL has the one of RFC 5952. */
function canonical(address: string): string {
  return isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
