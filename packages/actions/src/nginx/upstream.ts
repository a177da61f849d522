import { rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HostContext } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { executable } from '../support/exec.ts';
import { HostPath, lookAtFile, sha256IfThere, sha256Text } from '../support/files.ts';
import {
  keptName,
  PUT_BACK_BY_HAND,
  probeReplacement,
  putBack,
  readReplacement,
  replaceFile,
  replacementReceipt,
} from '../support/replace.ts';
import { lookAtUnit, UnitName, unitProblems } from '../support/unit.ts';
import { hasRead, reload, requireConfig } from './program.ts';

const Address = z.string().regex(/^[A-Za-z0-9.-]+:\d{1,5}$/, 'host:port');
const Weighted = z.strictObject({
  address: Address,
  weight: z.int().min(0).max(1000).describe('Its share, beside the weights of the others; 0 takes it out.'),
});
const Upstream = z.union([Address, Weighted]);
type Upstream = z.infer<typeof Upstream>;

const With = z.strictObject({
  file: HostPath.describe('The file that holds this upstream and nothing else; the configuration includes it.'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'the name of an upstream')
    .describe('Of the upstream, as proxy_pass names it.'),
  servers: z
    .array(Upstream)
    .min(1)
    .refine((servers) => servers.some((server) => weightOf(server) > 0), 'one server at least has a weight above 0')
    .describe('Where requests go from now on: addresses that share them equally, or shares by weight.'),
  unit: UnitName.default('nginx.service').describe('The unit that runs nginx.'),
  program: HostPath.default('/usr/sbin/nginx'),
  config: HostPath.default('/etc/nginx/nginx.conf'),
});
type With = z.infer<typeof With>;

export const nginxUpstream = defineAction<With>({
  name: 'nginx.upstream',
  version: 1,
  summary:
    'Sends requests to other servers: writes the upstream, has nginx test it, reloads, and waits for the new workers. No request under way is cut off; idle connections are closed, as by every reload.',
  schema: With,
  effect: 'reversible',
  does: 'send {name} to {servers}',
  undoes: 'the upstream as it was, reloaded',
  byHand: `${PUT_BACK_BY_HAND} && {program} -t -c {config} && systemctl reload -- {unit}`,
  touches: ['path:{file}', 'unit:{unit}'],
  receipt: { target: 'the file', oldSha256: 'of the upstream before' },

  async check(context, input) {
    const { file, unit, program } = input;
    const reading = await lookAtUnit(context, unit);
    const problems = unitProblems(unit, reading);
    if (!executable(program)) {
      problems.push(actionError('SB-ACT-PROGRAM-MISSING', `${program} cannot be executed`).failure);
    } else if (problems.length === 0) await requireConfig(context, input);
    if (!(await lookAtFile(file))) problems.push(actionError('SB-ACT-SOURCE-MISSING', `${file} is not there`).failure);
    if (problems.length === 0 && reading.mainPid === 0) {
      problems.push(actionError('SB-ACT-NGINX-RELOAD', `${unit} does not run`).failure);
    }
    const oldSha256 = await sha256IfThere(file);
    const replacement = { target: file, newSha256: sha256Text(textOf(input)), oldSha256, kept: keptOf(input, context) };
    return { before: replacementReceipt(replacement), note: wordsOf(input).join(', '), problems };
  },

  async run(context, input, before) {
    const replacement = readReplacement(before);
    const source = `${replacement.kept}.next`;
    try {
      await rm(source, { force: true });
      await writeFile(source, textOf(input), { flag: 'wx', mode: 0o644 });
      await replaceFile(context, replacement, { source, mode: 0o644 });
    } finally {
      await rm(source, { force: true });
    }
    try {
      await requireConfig(context, input);
    } catch (error) {
      // nginx goes on with what it has; but a later start, by anybody, would fail on this.
      await putBack(replacement);
      throw error;
    }
    await reload(context, input);
    return {};
  },

  async undo(context, input, receipt) {
    if (Object.keys(receipt).length === 0) return { restored: false };
    const restored = await putBack(readReplacement(receipt));
    const { mainPid } = await lookAtUnit(context, input.unit);
    // Also when the file is the old one already: a crash between file and reload leaves nginx with the new one.
    await requireConfig(context, input);
    if (mainPid > 0) await reload(context, input);
    return { restored };
  },

  async probe(context, input, { direction, receipt }) {
    const file = await probeReplacement(readReplacement(receipt), direction);
    // Written is not read: a crash between the two leaves nginx with what it had.
    return file === 'applied' && !(await hasRead(context, input, input.file)) ? 'partial' : file;
  },
});

/** Not beside the file: nginx includes whole folders. */
function keptOf({ file }: With, context: HostContext): string {
  return keptName(dirname(file), context);
}

function textOf({ name, servers }: With): string {
  return [`upstream ${name} {`, ...wordsOf({ servers }).map((words) => `  server ${words};`), '}', ''].join('\n');
}

/** nginx knows no weight 0: who gets no requests does not stand there. */
function wordsOf({ servers }: { servers: readonly Upstream[] }): string[] {
  return servers
    .filter((server) => weightOf(server) > 0)
    .map((server) => (typeof server === 'string' ? server : `${server.address} weight=${server.weight}`));
}

function weightOf(server: Upstream): number {
  return typeof server === 'string' ? 1 : server.weight;
}
