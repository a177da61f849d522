import type { HostContext } from '@signalbox/protocol';
import { actionError } from '../codes.ts';
import { answer, succeed } from '../support/exec.ts';
import { requireStable } from '../support/stability.ts';
import { isDown, lookAtUnit, processStart } from '../support/unit.ts';

/** How long a start is watched when the runbook does not say: long enough for a program that dies on its first line. */
export const STABLE_MS = 1_000;

/** How long processes may take to disappear after systemd says that the unit is stopped. */
const GONE_WITHIN_MS = 5_000;

/** Stops a unit and proves it: systemd's word, no process counted in the unit, the old main process gone [T06]. */
export async function stopUnit(context: HostContext, unit: string): Promise<void> {
  const { mainPid } = await lookAtUnit(context, unit);
  const started = mainPid > 0 ? await processStart(mainPid) : undefined;
  await succeed(context, ['systemctl', 'stop', '--', unit]);
  const end = context.nowMs() + GONE_WITHIN_MS;
  for (;;) {
    const reading = await lookAtUnit(context, unit);
    const lives = started !== undefined && (await processStart(mainPid)) === started;
    if (isDown(reading) && reading.mainPid === 0 && (reading.tasks ?? 0) === 0 && !lives) return;
    if (context.nowMs() >= end) {
      const process = lives ? `process ${mainPid} lives on` : `${reading.tasks ?? 0} tasks in it`;
      throw actionError('SB-ACT-UNIT-ALIVE', `${unit} was stopped but is ${reading.activeState}, ${process}`);
    }
    await context.sleep(100);
  }
}

/** Starts a unit and proves that it stays up. @throws SB-ACT-UNIT-UNSTABLE, SB-ACT-UNIT-MASKED */
export async function startUnit(context: HostContext, unit: string, stableMs: number): Promise<void> {
  const reading = await lookAtUnit(context, unit);
  if (reading.loadState === 'masked') throw actionError('SB-ACT-UNIT-MASKED', `${unit} is masked`);
  if (reading.activeState === 'failed' || reading.restarts > 0) {
    // A crash loop uses up the unit's start limit, and then systemd refuses the good program as well. A refusal of
    // this one says nothing: the start that follows decides.
    await answer(context, ['systemctl', 'reset-failed', '--', unit]);
  }
  await succeed(context, ['systemctl', 'start', '--', unit]);
  await requireStable(context, unit, stableMs);
}

/** Keeps anything from starting the unit until it is unmasked or the host boots anew [I10]. */
export async function maskUnit(context: HostContext, unit: string): Promise<void> {
  await succeed(context, ['systemctl', 'mask', '--runtime', '--', unit]);
  const { loadState, unitFileState } = await lookAtUnit(context, unit);
  if (loadState !== 'masked' && !unitFileState.startsWith('masked')) {
    throw actionError('SB-ACT-MASK-OUTRANKED', `${unit} is ${loadState} after it was masked`);
  }
}

export async function unmaskUnit(context: HostContext, unit: string): Promise<void> {
  await succeed(context, ['systemctl', 'unmask', '--runtime', '--', unit]);
}

/** Has the unit started at every boot, and proves it. @throws SB-ACT-UNIT-NOT-ENABLED */
export async function enableUnit(context: HostContext, unit: string): Promise<void> {
  await succeed(context, ['systemctl', 'enable', '--', unit]);
  // systemctl is content with a unit without [Install], which nothing starts at boot.
  const { unitFileState } = await lookAtUnit(context, unit);
  if (unitFileState === 'enabled') return;
  throw actionError('SB-ACT-UNIT-NOT-ENABLED', `${unit} is ${unitFileState} after it was enabled`);
}

export async function disableUnit(context: HostContext, unit: string): Promise<void> {
  await succeed(context, ['systemctl', 'disable', '--', unit]);
}
