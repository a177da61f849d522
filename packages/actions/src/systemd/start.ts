import { parseDuration } from '@signalbox/protocol';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { requireStable } from '../support/stability.ts';
import { isChanging, isDown, lookAtUnit, UnitName, unitProblems, unitReceipt, wasUp } from '../support/unit.ts';
import { disableUnit, enableUnit, maskUnit, STABLE_MS, startUnit, stopUnit, unmaskUnit } from './operate.ts';

/** `UnitFileState` of a unit that is masked until the next boot. */
const MASKED_NOW = 'masked-runtime';

const With = z.strictObject({
  unit: UnitName.describe('With its suffix, as in `remesd.service`.'),
  stableFor: z
    .string()
    .refine((text) => parseDuration(text) !== undefined, 'a duration such as 2s')
    .optional()
    .describe('How long the unit must stay up before the step is done; 1s when not given.'),
  unmask: z
    .boolean()
    .optional()
    .describe(
      'First take off a mask of this boot, as an earlier step of the run has set it; one that was set for good stays.',
    ),
  enable: z
    .boolean()
    .optional()
    .describe('Also have it started at every boot from now on; undo leaves that as it was before.'),
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
  byHand: 'systemctl stop -- {unit}',
  touches: ['unit:{unit}'],
  starts: '{unit}',
  receipt: {
    activeState: 'what the unit was before',
    subState: 'likewise',
    unitFileState: 'likewise',
    enabled: 'true when the step has enabled it',
  },
  timeoutMs: 5 * 60_000,

  async check(context, { unit, unmask }) {
    const reading = await lookAtUnit(context, unit);
    const problems = unitProblems(unit, reading);
    const unmasked = unmask && reading.unitFileState === MASKED_NOW;
    if (reading.loadState === 'masked' && !unmasked)
      problems.push(actionError('SB-ACT-UNIT-MASKED', `${unit} is masked`).failure);
    return { before: unitReceipt(reading), note: reading.activeState, problems };
  },

  async run(context, { unit, stableFor, unmask, enable }) {
    const windowMs = parseDuration(stableFor ?? '') ?? STABLE_MS;
    if (unmask) await unmaskUnit(context, unit);
    const { activeState, unitFileState } = await lookAtUnit(context, unit);
    // Before it runs: a boot between the two would leave it down, and whoever looks would think that the step was never begun.
    const enabled = enable === true && unitFileState !== 'enabled';
    if (enabled) await enableUnit(context, unit);
    if (activeState === 'active') await requireStable(context, unit, windowMs);
    else await startUnit(context, unit, windowMs);
    return enabled ? { enabled } : {};
  },

  async undo(context, { unit, unmask, enable }, receipt) {
    if (enable && (receipt.enabled === true || receipt.unitFileState === 'disabled')) await disableUnit(context, unit);
    if (wasUp(unit, receipt)) return { stopped: false };
    // Also when it is down already: a unit between two restarts looks down and comes back.
    await stopUnit(context, unit);
    if (unmask && receipt.unitFileState === MASKED_NOW) await maskUnit(context, unit);
    return { stopped: true };
  },

  async probe(context, { unit, enable }, { direction, receipt }) {
    const now = await lookAtUnit(context, unit);
    if (now.subState === 'auto-restart') return 'partial';
    if (isChanging(now)) return 'in-progress';
    if (direction === 'undo') return isDown(now) || wasUp(unit, receipt) ? 'applied' : 'not-applied';
    if (isDown(now)) return 'not-applied';
    return enable && now.unitFileState !== 'enabled' ? 'partial' : 'applied';
  },
});
