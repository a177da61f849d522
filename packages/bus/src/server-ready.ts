import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** Where the server listens, as it wrote it down itself. */
export interface ServerPorts {
  nats: number;
  monitoring: number | undefined;
}

const PortsFile = z.looseObject({ nats: z.array(z.url()), monitoring: z.array(z.url()).optional() });

const LOOK_MS = 10;

/**
 * Looks until it finds something. Not by watching the folder: a host has few watches, and all of them may be taken.
 * @returns undefined when `signal` aborts first.
 */
export async function untilFound<T>(look: () => Promise<T | undefined>, signal: AbortSignal): Promise<T | undefined> {
  for (;;) {
    const found = await look();
    if (found !== undefined || signal.aborted) return found;
    await delay(LOOK_MS);
  }
}

/** nats-server writes `<program>_<pid>.ports` when it takes connections (source: server/server.go, logPorts). */
export async function readPorts(dir: string, binary: string, pid: number): Promise<ServerPorts | undefined> {
  const text = await readFile(join(dir, `${basename(binary)}_${pid}.ports`), 'utf8').catch(() => '');
  const parsed = PortsFile.safeParse(parse(text));
  if (!parsed.success) return undefined;
  const [nats, monitoring] = [parsed.data.nats[0], parsed.data.monitoring?.[0]];
  if (nats === undefined) return undefined;
  return { nats: portOf(nats), monitoring: monitoring === undefined ? undefined : portOf(monitoring) };
}

/** The end of a log, for an error message: a person should not have to look for the file first. */
export async function lastLines(file: string, count: number): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

/** The file may be seen while it is still being written. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
