import type { HostContext } from '@signalbox/protocol';
import { isJsonObject, type Json } from '@signalbox/protocol';
import { parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { few } from '../support/few.ts';
import { get, Url } from '../support/get.ts';

const ANSWER_WITHIN_MS = 10_000;
/** KIP-875: positions of a stopped connector can be read and set from here on. */
const SETS_POSITIONS = [3, 6] as const;

const With = z.strictObject({
  url: Url.describe('REST interface of a Kafka Connect.'),
  connectors: z
    .array(z.looseObject({ name: z.string().min(1) }))
    .default([])
    .describe('Connectors that have to be there.'),
  state: z.enum(['RUNNING', 'STOPPED', 'PAUSED']).optional().describe('What each of them has to be.'),
});

export const connectWorker = defineProbe<z.infer<typeof With>>({
  name: 'connect.worker',
  version: 1,
  summary: 'Whether a Kafka Connect lets positions of connectors be set (3.6 and newer), and has its connectors.',
  schema: With,
  values: {
    version: { type: 'string', help: 'what it says that it is' },
    missing: { type: 'number', help: '0 when nothing is' },
    lacking: { type: 'string', help: 'what is missing or otherwise than wanted; absent when nothing is' },
  },

  async sample(context, { url, connectors, state }) {
    const base = url.replace(/\/$/, '');
    const version = String((await ask(context, `${base}/`))?.version ?? '');
    const lacking = setsPositions(version) ? [] : [`positions cannot be set at ${version || 'it'}, but from 3.6 on`];
    for (const { name } of connectors) {
      const status = await ask(context, `${base}/connectors/${encodeURIComponent(name)}/status`);
      const { connector } = status ?? {};
      const now = isJsonObject(connector) ? String(connector.state) : undefined;
      if (now === undefined) lacking.push(`there is no connector ${name}`);
      else if (state !== undefined && now !== state) lacking.push(`${name} is ${now}, not ${state}`);
    }
    return { version, missing: lacking.length, ...(lacking.length > 0 && { lacking: few(lacking) }) };
  },
});

/** Undefined: there is no such thing. @throws SB-PROBE-HTTP when it does not answer with JSON */
async function ask(context: HostContext, url: string): Promise<{ [field: string]: Json } | undefined> {
  const { status, text } = await get(context, url, { timeoutMs: ANSWER_WITHIN_MS });
  if (status === 404) return undefined;
  try {
    const json = parseJson64(text);
    if (status === 200 && isJsonObject(json)) return json;
  } catch {
    // Said below.
  }
  throw probeError('SB-PROBE-HTTP', `GET ${url}: ${status}, and no answer of Kafka Connect`);
}

function setsPositions(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [since, sinceMinor] = SETS_POSITIONS;
  return major > since || (major === since && minor >= sinceMinor);
}
