// `journalctl` on a host in the lab: what the host's units have printed, by unit or by invocation.
//
//   --unit UNIT --lines N --output cat
//   --output=json _SYSTEMD_INVOCATION_ID=ID + INVOCATION_ID=ID
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hostPaths } from '../paths.ts';

const STARTED = 'systemd[1]: Started';

/** What init writes into the log of a unit when it starts it. */
export function startedLine(description: string, invocation: string): string {
  return `${STARTED} ${description}. (${invocation})`;
}

export function main(root: string): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    strict: false,
    options: { unit: { type: 'string' }, lines: { type: 'string' }, output: { type: 'string' } },
  });
  const { logs } = hostPaths(root);
  const [, invocation] = positionals.map((word) => word.split('=')).find(([key]) => key === 'INVOCATION_ID') ?? [];
  const lines =
    invocation === undefined ? linesOf(join(logs, `${String(values.unit)}.log`)) : linesSince(logs, invocation);
  const shown = lines.slice(-Number(values.lines ?? lines.length));
  const text = (line: string) => (values.output === 'json' ? JSON.stringify({ MESSAGE: line, PRIORITY: '6' }) : line);
  if (shown.length > 0) process.stdout.write(`${shown.map(text).join('\n')}\n`);
}

function linesOf(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];
}

/** From the start of that invocation to that of the next one. */
function linesSince(logs: string, invocation: string): string[] {
  for (const name of readdirSync(logs)) {
    const lines = linesOf(join(logs, name));
    const from = lines.findIndex((line) => line.startsWith(STARTED) && line.endsWith(`(${invocation})`));
    if (from < 0) continue;
    const next = lines.findIndex((line, i) => i > from && line.startsWith(STARTED));
    return lines.slice(from, next < 0 ? undefined : next);
  }
  return [];
}
