import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { isChanging, isDown, lookAtUnit, UnitName, unitReceipt, wasUp } from '../support/unit.ts';
import { STABLE_MS, startUnit, stopUnit } from '../systemd/operate.ts';
import { commandLineProblems, readMirrorUnit } from './mirror-unit.ts';

const With = z.strictObject({
  unit: UnitName.default('mongomirror.service').describe('The unit that runs the mirror.'),
});

export const mongomirrorStop = defineAction<z.infer<typeof With>>({
  name: 'mongomirror.stop',
  version: 1,
  summary: 'Stops a mirror and proves that it is gone. With its bookmark it can go on later.',
  schema: With,
  effect: 'reversible',
  does: 'stop {unit}',
  undoes: 'start {unit} again, from its bookmark, if it was running',
  byHand: 'systemctl start -- {unit}',
  touches: ['unit:{unit}'],
  stops: '{unit}',
  receipt: { activeState: 'what the unit was before', subState: 'likewise', unitFileState: 'likewise' },

  async check(context, { unit }) {
    const mirror = await readMirrorUnit(context, unit);
    const problems = commandLineProblems(mirror).map((text) => actionError('SB-ACT-MIRROR-UNSAFE', text).failure);
    return { before: unitReceipt(mirror.reading), note: mirror.reading.activeState, problems };
  },

  async run(context, { unit }) {
    await stopUnit(context, unit);
    return {};
  },

  async undo(context, { unit }, receipt) {
    const now = await lookAtUnit(context, unit);
    if (now.activeState === 'active' || !wasUp(unit, receipt)) return { started: false };
    await startUnit(context, unit, STABLE_MS);
    return { started: true };
  },

  async probe(context, { unit }, { direction, receipt }) {
    const now = await lookAtUnit(context, unit);
    if (isChanging(now)) return 'in-progress';
    if (direction === 'undo') return !isDown(now) || !wasUp(unit, receipt) ? 'applied' : 'not-applied';
    if (!isDown(now)) return 'not-applied';
    return (now.tasks ?? 0) > 0 || now.mainPid > 0 ? 'partial' : 'applied';
  },
});
