import { requireReal } from '@signalbox/actions/testing';
import { inject, onTestFinished } from 'vitest';
import { Lab } from './lab.ts';
import { LabRun } from './lab-run.ts';

const found = inject('lab');

/** For `describe.runIf`: a machine without a lab skips with one line, and CI fails. */
export const LAB_IS_THERE = requireReal(
  'missing' in found ? `lab of systemd hosts (${found.missing})` : 'lab of systemd hosts',
  'name' in found,
);

/** The lab that all tests share. What a test changes on its hosts, it puts back. */
export function sharedLab(): Lab {
  const lab = 'name' in found ? Lab.attach(found.name) : undefined;
  if (!lab) throw new Error('there is no lab');
  return lab;
}

/** A run that is followed until the test ends. @throws Error with what `signalbox start` says. */
export async function started(runbook: string, params: Readonly<Record<string, string | boolean>>): Promise<LabRun> {
  const run = await LabRun.start(sharedLab(), runbook, params);
  onTestFinished(() => run[Symbol.asyncDispose]());
  return run;
}
