import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostContext, isJsonObject, type JsonObject } from '@signalbox/protocol';
import { asOwner, optionOf, parseJson64 } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { rpcAddressOf } from '../cometbft/rpc-address.ts';
import { defineProbe } from '../contract.ts';
import { get } from '../support/get.ts';
import { lookAtUnit, UnitName } from '../support/unit.ts';

const With = z.strictObject({
  unit: UnitName.default('remesd.service').describe('The unit that runs the node; it must be up.'),
  copyBytesPerSecond: z
    .int()
    .min(1)
    .default(100_000_000)
    .describe('How fast this host copies and reads back its data.'),
});

/** The interval of blocks is an average over so many. */
const BLOCKS = 50;
const RPC_WITHIN_MS = 5_000;

export const remesdDowntime = defineProbe<z.infer<typeof With>>({
  name: 'remesd.downtime',
  version: 1,
  summary:
    'How long the validator may be down before the chain jails it, and how long a backup of its data would take.',
  schema: With,
  values: {
    windowBlocks: { type: 'number', help: 'signed_blocks_window of the chain' },
    minSigned: { type: 'number', help: 'share of the window that must be signed' },
    blockSeconds: { type: 'number', unit: 's', help: `between two blocks, on average over ${BLOCKS}` },
    budgetSeconds: { type: 'number', unit: 's', help: 'blocks that may be missed, in time, if none was missed so far' },
    dataBytes: { type: 'number', unit: 'bytes', help: 'size of the data folder' },
    backupSeconds: { type: 'number', unit: 's', help: 'estimate; much less where the file system shares blocks' },
    headroomSeconds: {
      type: 'number',
      unit: 's',
      help: 'budget less backup: below 0, a backup while down gets it jailed',
    },
  },

  async sample(context, { unit, copyBytesPerSecond }) {
    const reading = await lookAtUnit(context, unit);
    const home = optionOf(reading.exec?.argv ?? [], '--home');
    const base = await rpcAddressOf(reading);
    if (home === undefined || base === undefined || !reading.exec) {
      throw probeError('SB-PROBE-HOME-UNKNOWN', `${unit} does not say where its node is`);
    }
    const { windowBlocks, minSigned } = await slashingOf(context, reading.exec.path, { home, base });
    const blockSeconds = await intervalOf(context, base);
    const dataBytes = await sizeOf(join(home, 'data'));
    const budgetSeconds = Math.floor(windowBlocks * (1 - minSigned) * blockSeconds);
    const backupSeconds = Math.ceil(dataBytes / copyBytesPerSecond);
    const sized = { dataBytes, backupSeconds, headroomSeconds: budgetSeconds - backupSeconds };
    return { windowBlocks, minSigned, blockSeconds, budgetSeconds, ...sized };
  },
});

/** The chain's own parameters, x/slashing of the Cosmos SDK: who misses more than the rest of the window is jailed. */
async function slashingOf(context: HostContext, program: string, { home, base }: { home: string; base: string }) {
  const node = base.replace(/^http:/, 'tcp:');
  const argv = [program, 'query', 'slashing', 'params', '--output', 'json', '--home', home, '--node', node] as const;
  const { exitCode, stdout } = await context.exec(await asOwner(home, argv), { quiet: true, timeoutMs: 15_000 });
  const answer = exitCode === 0 ? jsonOf(stdout) : {};
  const params = isJsonObject(answer.params) ? answer.params : answer;
  const [windowBlocks, minSigned] = [Number(params.signed_blocks_window), Number(params.min_signed_per_window)];
  if (windowBlocks > 0 && minSigned >= 0 && minSigned <= 1) return { windowBlocks, minSigned };
  throw probeError('SB-PROBE-FAILED', `${program} query slashing params does not say what the chain allows`);
}

async function intervalOf(context: HostContext, base: string): Promise<number> {
  const newest = await blockAt(context, `${base}/block`);
  const older = await blockAt(context, `${base}/block?height=${Math.max(1, newest.height - BLOCKS)}`);
  const seconds = (newest.atMs - older.atMs) / 1_000 / (newest.height - older.height);
  if (seconds > 0) return Math.round(seconds * 1_000) / 1_000;
  throw probeError('SB-PROBE-FAILED', 'the chain has too few blocks to tell their interval');
}

async function blockAt(context: HostContext, url: string): Promise<{ height: number; atMs: number }> {
  const { text } = await get(context, url, { timeoutMs: RPC_WITHIN_MS });
  const answer = jsonOf(text);
  const result = isJsonObject(answer.result) ? answer.result : answer;
  const header = isJsonObject(result.block) && isJsonObject(result.block.header) ? result.block.header : {};
  return { height: Number(header.height), atMs: Date.parse(String(header.time)) };
}

function jsonOf(text: string): JsonObject {
  try {
    const json = parseJson64(text);
    return isJsonObject(json) ? json : {};
  } catch {
    return {};
  }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  // A running node removes files at any time.
  const sizes = await Promise.all(
    files.map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
