import { z } from 'zod';
import { defineAction } from '../contract.ts';
import { succeed } from '../support/exec.ts';
import { requireStable } from '../support/stability.ts';
import {
  isChanging,
  isDown,
  isStartOf,
  lookAtUnit,
  UnitName,
  unitProblems,
  unitReceiptWithStart,
  wasUp,
} from '../support/unit.ts';
import { STABLE_MS, stopUnit } from './operate.ts';

const With = z.strictObject({ unit: UnitName.describe('With its suffix, as in `remesd.service`.') });

export const systemdRestart = defineAction<z.infer<typeof With>>({
  name: 'systemd.restart',
  version: 1,
  summary: 'Restarts a unit (or starts it) and proves that it stays up as a new process.',
  schema: With,
  effect: 'reversible',
  does: 'restart {unit}',
  undoes: 'stop {unit} if it was not running before; nothing otherwise',
  byHand: 'systemctl stop -- {unit}',
  touches: ['unit:{unit}'],
  starts: '{unit}',
  receipt: { activeState: 'what the unit was before', own: 'which start of the unit it was' },
  timeoutMs: 5 * 60_000,

  async check(context, { unit }) {
    const reading = await lookAtUnit(context, unit);
    // The instance is what tells a restarted unit from one that was left alone, when the agent has to ask after a crash.
    return { before: unitReceiptWithStart(reading), note: reading.activeState, problems: unitProblems(unit, reading) };
  },

  async run(context, { unit }) {
    await succeed(context, ['systemctl', 'restart', '--', unit]);
    await requireStable(context, unit, STABLE_MS);
    return {};
  },

  async undo(context, { unit }, receipt) {
    if (wasUp(unit, receipt)) return { stopped: false };
    await stopUnit(context, unit);
    return { stopped: true };
  },

  async probe(context, { unit }, { direction, receipt }) {
    const now = await lookAtUnit(context, unit);
    if (isChanging(now)) return 'in-progress';
    if (now.subState === 'auto-restart') return 'partial';
    if (direction === 'undo') return isDown(now) || wasUp(unit, receipt) ? 'applied' : 'not-applied';
    if (isDown(now)) return wasUp(unit, receipt) ? 'partial' : 'not-applied';
    return isStartOf(receipt, now) ? 'not-applied' : 'applied';
  },
});
