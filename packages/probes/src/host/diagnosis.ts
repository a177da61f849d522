import { readFile, statfs } from 'node:fs/promises';
import type { HostContext, JsonObject } from '@signalbox/protocol';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { lookAtUnit, UnitName } from '../support/unit.ts';

const With = z.strictObject({
  units: z
    .array(UnitName)
    .default([
      'remesd.service',
      'r3mes-miner.service',
      'r3mes-backend.service',
      'r3mes-frontend.service',
      'ipfs.service',
    ])
    .describe('Units to look at; those that the host does not know are left out.'),
  lines: z.int().min(0).max(50).default(10).describe('Lines of each unit’s journal.'),
});

const DISKS = ['/', '/var', '/home'];

export const hostDiagnosis = defineProbe<z.infer<typeof With>>({
  name: 'host.diagnosis',
  version: 1,
  summary:
    'What somebody who is called at night looks at first: units, their last words, names of variables, containers, disks.',
  schema: With,
  values: {
    units: {
      type: 'object',
      help: 'by unit: states, restarts, program, and the names of its variables; never a value',
    },
    journal: {
      type: 'object',
      help: 'by unit: last lines, with what looks like a password left out; absent without journald',
    },
    containers: { type: 'object', help: 'by container: image and state; absent without Docker' },
    disks: { type: 'object', help: 'by mount point: { sizeBytes, freeBytes }' },
  },

  async sample(context, { units, lines }) {
    const known: JsonObject = {};
    const journal: JsonObject = {};
    for (const unit of units) {
      const reading = await lookAtUnit(context, unit);
      if (reading.loadState === 'not-found') continue;
      const { loadState, activeState, subState, restarts, mainPid, exec } = reading;
      const program = exec === undefined ? {} : { program: exec.path };
      known[unit] = {
        loadState,
        activeState,
        subState,
        restarts,
        mainPid,
        ...program,
        variables: await variablesOf(mainPid),
      };
      const said = lines === 0 ? undefined : await lastLines(context, unit, lines);
      if (said) journal[unit] = said;
    }
    const containers = await containersOf(context);
    return {
      units: known,
      ...(Object.keys(journal).length > 0 && { journal }),
      ...(containers && { containers }),
      disks: await disksOf(),
    };
  },
});

async function variablesOf(pid: number): Promise<string> {
  const text = pid === 0 ? '' : await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return text
    .split('\0')
    .flatMap((pair) => (pair.includes('=') ? [pair.slice(0, pair.indexOf('='))] : []))
    .sort()
    .join(',');
}

async function lastLines(context: HostContext, unit: string, lines: number): Promise<string[] | undefined> {
  const argv = [
    'journalctl',
    '--unit',
    unit,
    '--lines',
    String(lines),
    '--output',
    'cat',
    '--no-pager',
    '--quiet',
  ] as const;
  const { exitCode, stdout } = await context.exec(argv, { quiet: true, timeoutMs: 10_000 });
  return exitCode === 0 ? stdout.split('\n').filter(Boolean).map(masked) : undefined;
}

/** A service's own words may hold what no service should say [I9]. */
function masked(line: string): string {
  return line
    .slice(0, 500)
    .replace(/:\/\/[^/@\s]*:[^/@\s]+@/g, '://***@')
    .replace(
      /\b(\w*(?:password|passwd|secret|token|mnemonic|api_?key)\w*["']?\s*[=:]\s*)("[^"]*"|'[^']*'|\S+)/gi,
      '$1***',
    );
}

async function containersOf(context: HostContext): Promise<JsonObject | undefined> {
  const argv = ['docker', 'ps', '--all', '--format', '{{.Names}}\t{{.Image}}\t{{.Status}}'] as const;
  const { exitCode, stdout } = await context.exec(argv, { quiet: true, timeoutMs: 10_000 });
  if (exitCode !== 0) return undefined;
  const rows = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t'));
  return Object.fromEntries(rows.map(([name = '', image = '', status = '']) => [name, { image, status }]));
}

async function disksOf(): Promise<JsonObject> {
  const found: JsonObject = {};
  for (const path of DISKS) {
    const disk = await statfs(path).catch(() => undefined);
    if (disk) found[path] = { sizeBytes: disk.blocks * disk.bsize, freeBytes: disk.bavail * disk.bsize };
  }
  return found;
}
