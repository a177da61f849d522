import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostContext, JsonObject } from '@signalbox/protocol';
import type { UnitReading } from '@signalbox/protocol/readings';
import { lookAtUnit } from '../../support/unit.ts';
import { masked } from './masked.ts';

/** A unit that the host knows. */
export interface SeenUnit {
  unit: string;
  reading: UnitReading;
  /** Of its process or, where none runs, as its files say. Holds secrets: only names leave the host [I9]. */
  environment: ReadonlyMap<string, string>;
}

export async function seenUnits(context: HostContext, units: readonly string[]): Promise<SeenUnit[]> {
  const seen = await Promise.all(
    units.map(async (unit) => {
      const reading = await lookAtUnit(context, unit);
      return { unit, reading, environment: await environmentOf(reading) };
    }),
  );
  return seen.filter(({ reading }) => reading.loadState !== 'not-found');
}

export function unitValues({ reading, environment }: SeenUnit): JsonObject {
  const { loadState, activeState, subState, restarts, mainPid, exec } = reading;
  const program = exec === undefined ? {} : { program: exec.path };
  const variables = [...environment.keys()].sort().join(',');
  return { loadState, activeState, subState, restarts, mainPid, ...program, variables };
}

export async function lastLines(context: HostContext, unit: string, lines: number): Promise<string[] | undefined> {
  const which = ['--unit', unit, '--lines', String(lines)];
  const argv = ['journalctl', ...which, '--output', 'cat', '--no-pager', '--quiet'] as const;
  const { exitCode, stdout } = await context.exec(argv, { quiet: true, timeoutMs: 10_000 });
  return exitCode === 0 ? stdout.split('\n').filter(Boolean).map(masked) : undefined;
}

/** Of a service that does not come up there is no process to ask: then what it would be started with. */
async function environmentOf({ mainPid, environment, environmentFiles }: UnitReading): Promise<Map<string, string>> {
  const running = mainPid === 0 ? '' : await textOf(`/proc/${mainPid}/environ`);
  if (running !== '') return new Map(running.split('\0').flatMap(pairOf));
  const files = await Promise.all(environmentFiles.map(textOf));
  const written = files
    .flatMap((text) => text.split('\n'))
    .flatMap((line) => pairOf(line.replace(/^\s*export\s+/, '')));
  return new Map([...Object.entries(environment), ...written]);
}

function pairOf(text: string): [string, string][] {
  const [, name, value] = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
  return name === undefined || value === undefined ? [] : [[name, value.trim().replace(/^(["'])(.*)\1$/s, '$2')]];
}

const textOf = (path: string) => readFile(path, 'utf8').catch(() => '');

/** The virtual environment that a unit's program belongs to, or that its folder has. */
export async function venvOf({ reading: { exec, workingDirectory } }: SeenUnit): Promise<string | undefined> {
  const own = exec === undefined ? [] : [dirname(dirname(exec.path))];
  const beside = workingDirectory === '' ? [] : ['venv', '.venv'].map((name) => join(workingDirectory, name));
  for (const folder of [...own, ...beside]) if (await isThere(join(folder, 'pyvenv.cfg'))) return folder;
  return undefined;
}

export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
