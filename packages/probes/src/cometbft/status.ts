import { type HostContext, isJsonObject, type Json, type JsonObject, type Values } from '@signalbox/protocol';
import { count64, parseJson64, type UnitReading } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { get } from '../support/get.ts';
import { runsInstalled } from '../support/program.ts';
import { lookAtUnit, RUNNING_VALUES, runningValues, UnitName } from '../support/unit.ts';
import { rpcAddressOf } from './rpc-address.ts';

const With = z.strictObject({
  unit: UnitName.default('remesd.service').describe('The unit that runs the node.'),
  rpc: z
    .string()
    .regex(/^https?:\/\/[^/@\s]+\/?$/, 'http://host:port')
    .optional()
    .describe("When not given: [rpc] laddr in config.toml of the unit's --home."),
});

/** A local RPC answers in milliseconds; a gate asks every few seconds and must not wait for a dead one. */
const RPC_WITHIN_MS = 3_000;

export const cometbftStatus = defineProbe<z.infer<typeof With>>({
  name: 'cometbft.status',
  version: 1,
  summary:
    'What a CometBFT node says of its chain, and what systemd says of its unit; the latter also when RPC is down.',
  schema: With,
  values: {
    ...RUNNING_VALUES,
    runsInstalled: {
      type: 'boolean',
      help: 'whether the main process runs the program that lies where the unit starts it, and not one that was replaced or removed since; absent without such a process',
    },
    catchingUp: { type: 'boolean', help: 'false alone proves little: a node without peers says it too' },
    height: { type: 'number', help: 'newest block; decimal text above 2^53' },
    blockAgeSeconds: { type: 'number', unit: 's', help: "age of the newest block by this host's clock" },
    peers: { type: 'number', help: 'connected peers' },
    version: { type: 'string', help: 'version of CometBFT' },
    chainId: { type: 'string', help: 'the network' },
  },

  async sample(context, { unit, rpc }) {
    let reading: UnitReading | undefined;
    try {
      reading = await lookAtUnit(context, unit);
    } catch (error) {
      // A node that no systemd here knows can still be asked where its address is given.
      if (rpc === undefined) throw error;
    }
    const known = reading !== undefined && reading.loadState !== 'not-found' ? await ofUnit(reading) : {};
    const base = rpc ?? (reading && (await rpcAddressOf(reading)));
    if (base === undefined) return known;
    try {
      return { ...known, ...(await ask(context, base.replace(/\/$/, ''))) };
    } catch (error) {
      if (Object.keys(known).length === 0) throw error;
      return known;
    }
  },
});

async function ofUnit(reading: UnitReading): Promise<Values> {
  return withoutUnknown({ ...runningValues(reading), runsInstalled: await runsInstalled(reading) });
}

async function ask(context: HostContext, base: string): Promise<Values> {
  const [status, netInfo] = await Promise.all([
    fetchResult(context, `${base}/status`),
    fetchResult(context, `${base}/net_info`),
  ]);
  // Cosmos programs before 0.38 of CometBFT print NodeInfo and SyncInfo, newer ones and the RPC sync_info [T23].
  const [node, sync] = [part(status, 'node_info', 'NodeInfo'), part(status, 'sync_info', 'SyncInfo')];
  const age = context.nowMs() - Date.parse(String(sync.latest_block_time));
  return withoutUnknown({
    catchingUp: typeof sync.catching_up === 'boolean' ? sync.catching_up : undefined,
    height: count64(sync.latest_block_height),
    blockAgeSeconds: Number.isFinite(age) ? Math.round(age / 100) / 10 : undefined,
    peers: count64(netInfo.n_peers),
    version: typeof node.version === 'string' ? node.version : undefined,
    chainId: typeof node.network === 'string' ? node.network : undefined,
  });
}

/** The `result` of an RPC answer, or the answer itself: a proxy may have taken the envelope off. */
async function fetchResult(context: HostContext, url: string): Promise<JsonObject> {
  const { text } = await get(context, url, { timeoutMs: RPC_WITHIN_MS });
  const json = parseJson64(text);
  if (!isJsonObject(json)) return {};
  return isJsonObject(json.result) ? json.result : json;
}

function part(status: JsonObject, name: string, formerly: string): JsonObject {
  const found = status[name] ?? status[formerly];
  return isJsonObject(found) ? found : {};
}

function withoutUnknown(values: Record<string, Json | undefined>): Values {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
