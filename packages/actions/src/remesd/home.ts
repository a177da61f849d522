import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure, HostContext } from '@signalbox/protocol';
import { optionOf } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { HostPath } from '../support/files.ts';
import { lookAtUnit, UnitName, unitProblems } from '../support/unit.ts';

export const HOME_AND_UNIT = {
  home: HostPath.describe('The home of the node; it must be the one that the unit names in --home.'),
  unit: UnitName.default('remesd.service').describe('The unit that runs the node.'),
};
export const HomeAndUnit = z.strictObject(HOME_AND_UNIT);
export type HomeAndUnit = z.infer<typeof HomeAndUnit>;

export function dataOf(home: string): string {
  return join(home, 'data');
}

/**
 * Problems with a home, as a plan shows them. remesd without --home uses a folder of its own (`~/.remes`), and a backup
 * of the wrong home is found out when it is needed [T03].
 */
export async function homeProblems(context: HostContext, { home, unit }: HomeAndUnit): Promise<Failure[]> {
  const reading = await lookAtUnit(context, unit);
  const problems = unitProblems(unit, reading);
  if (problems.length > 0) return problems;
  // systemd says nothing of what a masked unit starts. The plan was checked before the run masked it.
  if (reading.loadState === 'masked') return [];
  const named = optionOf(reading.exec?.argv ?? [], '--home');
  if (named === undefined) {
    return [actionError('SB-ACT-HOME-MISMATCH', `${unit} names no --home, so it uses its program's own`).failure];
  }
  if ((await real(named)) !== (await real(home))) {
    return [actionError('SB-ACT-HOME-MISMATCH', `${unit} runs with --home ${named}, not ${home}`).failure];
  }
  return [];
}

export async function dataProblems(home: string): Promise<Failure[]> {
  const data = await stat(dataOf(home)).catch(() => undefined);
  return data?.isDirectory() ? [] : [actionError('SB-ACT-DATA-MISSING', `${dataOf(home)} is no folder`).failure];
}

function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
