import { z } from 'zod';
import { defineAction } from '../contract.ts';
import {
  cameUpBefore,
  isChanging,
  isDown,
  isStartOf,
  lookAtUnit,
  maskProblems,
  UnitName,
  unitProblems,
  unitReceiptWithStart,
  wasUp,
} from '../support/unit.ts';
import { maskUnit, STABLE_MS, startUnit, stopUnit, unmaskUnit } from './operate.ts';

const With = z.strictObject({
  unit: UnitName.describe('With its suffix, as in `remesd.service`.'),
  mask: z
    .boolean()
    .optional()
    .describe('Also mask the unit for this boot, so that nothing starts it again until the step is undone.'),
});

export const systemdStop = defineAction<z.infer<typeof With>>({
  name: 'systemd.stop',
  version: 1,
  summary: 'Stops a unit and proves it: inactive, no process left in it, the old main process gone.',
  schema: With,
  effect: 'reversible',
  does: 'stop {unit}',
  undoes: 'start {unit} again if it was running',
  byHand: 'systemctl unmask --runtime -- {unit}; systemctl start -- {unit}',
  touches: ['unit:{unit}'],
  stops: '{unit}',
  receipt: {
    activeState: 'what the unit was before',
    subState: 'likewise',
    unitFileState: 'likewise',
    own: 'which start it was',
  },
  timeoutMs: 5 * 60_000,

  async check(context, { unit, mask }) {
    const reading = await lookAtUnit(context, unit);
    const problems = [...unitProblems(unit, reading), ...(mask ? maskProblems(unit, reading) : [])];
    return { before: unitReceiptWithStart(reading), note: reading.activeState, problems };
  },

  async run(context, { unit, mask }) {
    await stopUnit(context, unit);
    // After the stop: a masked unit has lost its own settings, ExecStop= and KillMode= among them.
    if (mask) await maskUnit(context, unit);
    return {};
  },

  async undo(context, { unit, mask }, receipt) {
    const now = await lookAtUnit(context, unit);
    const runs = now.activeState === 'active';
    // Never stopped, or nobody recorded which start it was.
    if (runs && isStartOf(receipt, now) !== false) return { started: false };
    const before = wasUp(unit, receipt);
    if (mask && now.loadState === 'masked' && receipt.unitFileState !== now.unitFileState) {
      await unmaskUnit(context, unit);
    }
    if (!before) return { started: false };
    // It came up meanwhile, at boot or by somebody's hand: from files that the steps behind this one had changed.
    if (runs) await stopUnit(context, unit);
    await startUnit(context, unit, STABLE_MS);
    return { started: true };
  },

  async probe(context, { unit, mask }, { direction, receipt, begun }) {
    const now = await lookAtUnit(context, unit);
    if (isChanging(now)) return 'in-progress';
    if (direction === 'undo' && now.subState === 'auto-restart') return 'partial';
    if (direction === 'undo') {
      if (!wasUp(unit, receipt)) return 'applied';
      return isDown(now) || cameUpBefore(receipt, now, begun) ? 'not-applied' : 'applied';
    }
    if (!isDown(now)) return 'not-applied';
    if ((now.tasks ?? 0) > 0 || now.mainPid > 0) return 'partial';
    return mask && now.loadState !== 'masked' ? 'partial' : 'applied';
  },
});
