import type { HostContext } from '@signalbox/protocol';
import type { UnitReading } from '@signalbox/protocol/readings';
import { actionError } from '../codes.ts';
import { lookAtUnit } from './unit.ts';

const LOOK_EVERY_MS = 250;

/**
 * Watches a unit that was just started. `systemctl start` returning 0 means that a process was started, not that it
 * runs; with Restart=always a crash loop looks active most of the time [T22].
 *
 * @returns the last reading, after an unbroken window of the same main process and no further restart.
 * @throws SB-ACT-UNIT-UNSTABLE
 */
export async function requireStable(context: HostContext, unit: string, windowMs: number): Promise<UnitReading> {
  const begunMs = context.nowMs();
  const first = await lookAtUnit(context, unit);
  requireUp(unit, first);
  let last = first;
  for (let left = windowMs; left > 0; left = windowMs - (context.nowMs() - begunMs)) {
    await context.sleep(Math.min(left, LOOK_EVERY_MS));
    last = await lookAtUnit(context, unit);
    requireUp(unit, last);
    if (last.mainPid !== first.mainPid || last.restarts !== first.restarts) {
      const changes = `main process ${first.mainPid} -> ${last.mainPid}, restarts ${first.restarts} -> ${last.restarts}`;
      throw actionError('SB-ACT-UNIT-UNSTABLE', `${unit} does not stay up: ${changes}`);
    }
  }
  return last;
}

function requireUp(unit: string, { activeState, subState }: UnitReading): void {
  if (activeState === 'active') return;
  throw actionError('SB-ACT-UNIT-UNSTABLE', `${unit} was started and is ${activeState} (${subState})`);
}
