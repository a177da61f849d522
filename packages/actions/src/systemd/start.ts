import { parseDuration } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { requireStable } from '../support/stability.ts';
import { isChanging, isDown, lookAtUnit, UnitName, unitProblems, unitReceipt, wasUp } from '../support/unit.ts';
import { STABLE_MS, startUnit, stopUnit } from './operate.ts';

const With = z.strictObject({
  unit: UnitName.describe('With its suffix, as in `remesd.service`.'),
  stableFor: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'a duration such as 2s')
    .optional()
    .describe('How long the unit must stay up before the step is done; 1s when not given.'),
});
type With = z.infer<typeof With>;

export const systemdStart = defineAction<With>({
  name: 'systemd.start',
  version: 1,
  summary: 'Starts a unit and proves that it stays up: the same main process and no restart over a short window.',
  schema: With,
  effect: 'reversible',
  does: 'start {unit}',
  undoes: 'stop {unit} unless it was running before',
  touches: ['unit:{unit}'],
  starts: '{unit}',
  receipt: { activeState: 'what the unit was before', subState: 'likewise', unitFileState: 'likewise' },
  timeoutMs: 5 * 60_000,

  async check(context, { unit }) {
    const reading = await lookAtUnit(context, unit);
    const problems = unitProblems(unit, reading);
    if (reading.loadState === 'masked') problems.push(actionError('SB-ACT-UNIT-MASKED', `${unit} is masked`).failure);
    return { before: unitReceipt(reading), note: reading.activeState, problems };
  },

  async run(context, { unit, stableFor }) {
    const windowMs = parseDuration(stableFor ?? '') ?? STABLE_MS;
    const { activeState } = await lookAtUnit(context, unit);
    if (activeState === 'active') await requireStable(context, unit, windowMs);
    else await startUnit(context, unit, windowMs);
    return {};
  },

  async undo(context, { unit }, receipt) {
    if (wasUp(unit, receipt)) return { stopped: false };
    // Also when it is down already: a unit between two restarts looks down and comes back.
    await stopUnit(context, unit);
    return { stopped: true };
  },

  async probe(context, { unit }, { direction, receipt }) {
    const now = await lookAtUnit(context, unit);
    if (now.subState === 'auto-restart') return 'partial';
    if (isChanging(now)) return 'in-progress';
    if (direction === 'undo') return isDown(now) || wasUp(unit, receipt) ? 'applied' : 'not-applied';
    return isDown(now) ? 'not-applied' : 'applied';
  },
});
