import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import {
  isDown,
  lookAtUnit,
  maskProblems,
  requireStopped,
  UnitName,
  unitProblems,
  unitReceipt,
} from '../support/unit.ts';
import { maskUnit, unmaskUnit } from './operate.ts';

const With = z.strictObject({ unit: UnitName.describe('With its suffix, as in `remesd.service`.') });

export const systemdMask = defineAction<z.infer<typeof With>>({
  name: 'systemd.mask',
  version: 1,
  summary: 'Keeps a unit down that is down: nothing starts it until the step is undone, or the host boots anew.',
  schema: With,
  effect: 'reversible',
  does: 'mask {unit} for this boot',
  undoes: 'unmask {unit} unless it was masked before',
  byHand: 'systemctl unmask --runtime -- {unit}',
  touches: ['unit:{unit}'],
  receipt: { activeState: 'what the unit was before', subState: 'likewise', unitFileState: 'likewise' },
  timeoutMs: 60_000,

  async check(context, { unit }) {
    const reading = await lookAtUnit(context, unit);
    const problems = [...unitProblems(unit, reading), ...maskProblems(unit, reading)];
    if (!isDown(reading)) {
      problems.push(actionError('SB-ACT-UNIT-ACTIVE', `${unit} is ${reading.activeState}`).failure);
    }
    return { before: unitReceipt(reading), note: reading.activeState, problems };
  },

  async run(context, { unit }) {
    await requireStopped(context, unit);
    await maskUnit(context, unit);
    return {};
  },

  async undo(context, { unit }, receipt) {
    const { loadState, unitFileState } = await lookAtUnit(context, unit);
    if (loadState !== 'masked' || receipt.unitFileState === unitFileState) return { unmasked: false };
    await unmaskUnit(context, unit);
    return { unmasked: true };
  },

  async probe(context, { unit }, { direction, receipt }) {
    const { loadState, unitFileState } = await lookAtUnit(context, unit);
    const masked = loadState === 'masked';
    if (direction === 'undo') return !masked || receipt.unitFileState === unitFileState ? 'applied' : 'not-applied';
    return masked ? 'applied' : 'not-applied';
  },
});
