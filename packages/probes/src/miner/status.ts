import { type HostContext, isJsonObject, type JsonObject, type Values } from '@signalbox/protocol';
import { count64, parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { get } from '../support/get.ts';
import { lookAtUnit, RUNNING_VALUES, runningValues, UnitName } from '../support/unit.ts';
import { submissionsIn } from './submissions.ts';

const With = z.strictObject({
  unit: UnitName.default('r3mes-miner.service').describe('The unit that runs the miner.'),
  stats: z
    .string()
    .regex(/^https?:\/\/[^/@\s]+\/?$/, 'http://host:port')
    .optional()
    .describe('Where the miner serves its statistics; when not given, from the environment of the unit.'),
});

const STATS_WITHIN_MS = 3_000;

export const minerStatus = defineProbe<z.infer<typeof With>>({
  name: 'miner.status',
  version: 1,
  summary:
    'What an R3MES miner says of its work, and what systemd says of its unit; the latter also when the miner is down.',
  schema: With,
  values: {
    ...RUNNING_VALUES,
    sharesSubmitted: { type: 'number', help: 'gradients handed in since the miner was started' },
    version: { type: 'string', help: 'version of the miner, where it says it' },
    hashrate: { type: 'number', unit: '1/h', help: 'gradients an hour' },
    uptimeSeconds: { type: 'number', unit: 's', help: 'since the miner was started' },
  },

  async sample(context, { unit, stats }) {
    const reading = await lookAtUnit(context, unit);
    const known = runningValues(reading);
    if (reading.activeState !== 'active') return known;
    const base = stats ?? statsAddress(reading.environment);
    const said = await ask(context, base.replace(/\/$/, '')).catch(() => ({}));
    return { ...known, ...said };
  },
});

/**
 * The miner serves `GET /stats` (JSON) and `GET /metrics` (Prometheus) on R3MES_STATS_HOST (0.0.0.0 when not set) and
 * R3MES_STATS_PORT (8080): miner-engine/r3mes/miner/stats_http_server.py of the R3MES repository. Builds that put both
 * into R3MES_MINER_STATS_ADDR (host:port) are asked there.
 */
function statsAddress(environment: Record<string, string>): string {
  const { R3MES_MINER_STATS_ADDR: both, R3MES_STATS_HOST: host, R3MES_STATS_PORT: port } = environment;
  if (both) return `http://${both}`;
  return `http://${!host || host === '0.0.0.0' ? '127.0.0.1' : host}:${port || '8080'}`;
}

async function ask(context: HostContext, base: string): Promise<Values> {
  const { text } = await get(context, `${base}/stats`, { timeoutMs: STATS_WITHIN_MS });
  const json = parseJson64(text);
  const stats: JsonObject = isJsonObject(json) ? json : {};
  // The flat statistics of the miner have no count of what it handed in; its metrics do.
  const shares = count64(stats.shares_submitted) ?? (await countSubmissions(context, base));
  const uptime = stats.uptime_seconds ?? stats.uptime;
  return {
    ...(shares !== undefined && { sharesSubmitted: shares }),
    ...(typeof stats.version === 'string' && { version: stats.version }),
    ...(typeof stats.hashrate === 'number' && { hashrate: stats.hashrate }),
    ...(typeof uptime === 'number' && { uptimeSeconds: uptime }),
  };
}

async function countSubmissions(context: HostContext, base: string): Promise<number | undefined> {
  const metrics = await get(context, `${base}/metrics`, { timeoutMs: STATS_WITHIN_MS }).catch(() => undefined);
  return metrics?.status === 200 ? submissionsIn(metrics.text) : undefined;
}
