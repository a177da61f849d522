import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { isJsonObject, type JsonObject, type Values } from '@signalbox/protocol';
import { count64, optionOf, parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { rpcAddressOf } from '../cometbft/rpc-address.ts';
import { defineProbe } from '../contract.ts';
import { get } from '../support/get.ts';
import { lookAtUnit, UnitName } from '../support/unit.ts';

const With = z.strictObject({ unit: UnitName.default('remesd.service').describe('The unit that runs the node.') });

export const remesdGenesis = defineProbe<z.infer<typeof With>>({
  name: 'remesd.genesis',
  version: 1,
  summary:
    'Which home a unit names, which genesis lies in it, and what the application of the running node has come to.',
  schema: With,
  values: {
    home: { type: 'string', help: 'what the unit names in --home; absent when it names none' },
    sha256: { type: 'string', help: 'of config/genesis.json in it; absent when it is not there' },
    height: { type: 'number', help: 'the height that the application has; decimal text above 2^53' },
    appHash: { type: 'string', help: 'what its state hashes to at that height; absent while the node does not answer' },
  },

  async sample(context, { unit }) {
    const reading = await lookAtUnit(context, unit);
    const home = optionOf(reading.exec?.argv ?? [], '--home');
    if (home === undefined) throw probeError('SB-PROBE-HOME-UNKNOWN', `${unit} names no --home`);
    const sha256 = await checksumOf(join(home, 'config', 'genesis.json'));
    const rpc = reading.activeState === 'active' ? await rpcAddressOf(reading) : undefined;
    const application =
      rpc === undefined ? {} : await applicationAt(() => get(context, `${rpc}/abci_info`, { timeoutMs: 3_000 }));
    return { home, ...(sha256 && { sha256 }), ...application };
  },
});

async function checksumOf(path: string): Promise<string | undefined> {
  if (!(await stat(path).catch(() => undefined))) return undefined;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function applicationAt(ask: () => Promise<{ text: string }>): Promise<Values> {
  const answer = await ask().catch(() => undefined);
  const said = answer && parseJson64(answer.text);
  const response = member(member(isJsonObject(said) ? said : {}, 'result'), 'response');
  const { last_block_app_hash: appHash } = response;
  const height = count64(response.last_block_height);
  return { ...(height !== undefined && { height }), ...(typeof appHash === 'string' && { appHash }) };
}

function member(object: JsonObject, name: string): JsonObject {
  const found = object[name];
  return isJsonObject(found) ? found : {};
}
