import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostContext, ValueSpec, Values } from '@signalbox/protocol';
import { readUnit, showUnitArgv, UNIT_PATTERN, type UnitReading } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';

export const UnitName = z.string().max(255).regex(UNIT_PATTERN, 'a unit with its suffix, as in remesd.service');

/** @throws SB-PROBE-SYSTEMCTL */
export async function lookAtUnit(context: HostContext, unit: string): Promise<UnitReading> {
  const result = await context.exec(showUnitArgv(unit), { quiet: true, timeoutMs: 10_000 });
  if (result.exitCode === 0) return readUnit(result.stdout);
  const said = result.stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  throw probeError('SB-PROBE-SYSTEMCTL', `systemctl show ${unit}: ${result.timedOut ? 'no answer in time' : said}`);
}

const CGROUPS = '/sys/fs/cgroup';

/**
 * How many processes a unit has. The control group is counted where it can be read, with the groups below it; systemd's
 * own count of tasks (processes and threads) where it cannot; else whether there is a main process.
 */
export async function countProcesses({ controlGroup, tasks, mainPid }: UnitReading): Promise<number> {
  const counted = controlGroup === '' ? undefined : await countBelow(join(CGROUPS, controlGroup));
  return counted ?? tasks ?? (mainPid > 0 ? 1 : 0);
}

async function countBelow(group: string): Promise<number | undefined> {
  const listed = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => undefined);
  if (listed === undefined) return undefined;
  let count = listed.split('\n').filter(Boolean).length;
  for (const entry of await readdir(group, { withFileTypes: true })) {
    if (entry.isDirectory()) count += (await countBelow(join(group, entry.name))) ?? 0;
  }
  return count;
}

/** What the probes of a program say about the unit that runs it: a crash loop shows here also when nothing answers. */
export function runningValues({ activeState, restarts, mainPid }: UnitReading): Values {
  return { activeState, unitState: activeState, restarts, mainPid };
}

export const RUNNING_VALUES = {
  activeState: { type: 'string', help: 'what systemd says: active, inactive, failed, activating, ...' },
  unitState: { type: 'string', help: 'the same as activeState' },
  restarts: { type: 'number', help: 'automatic restarts since the unit was last started by hand' },
  mainPid: { type: 'number', help: 'main process; 0 when there is none' },
} as const satisfies Record<string, ValueSpec>;
