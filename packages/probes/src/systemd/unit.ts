import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { countProcesses, lookAtUnit, UnitName } from '../support/unit.ts';

const With = z.strictObject({ unit: UnitName.describe('With its suffix, as in `remesd.service`.') });

export const systemdUnit = defineProbe<z.infer<typeof With>>({
  name: 'systemd.unit',
  version: 1,
  summary: 'State of a systemd unit, and how many processes are in it.',
  schema: With,
  values: {
    activeState: { type: 'string', help: 'active, inactive, failed, activating, deactivating, reloading' },
    subState: { type: 'string', help: 'finer: running, dead, auto-restart, exited, ...' },
    loadState: { type: 'string', help: 'loaded, masked, not-found' },
    unitFileState: { type: 'string', help: 'enabled, disabled, masked, masked-runtime, static, ...' },
    mainPid: { type: 'number', help: 'main process; 0 when there is none' },
    restarts: { type: 'number', help: 'automatic restarts since the unit was last started by hand' },
    processes: { type: 'number', help: 'processes in the unit, also those that its main process left behind' },
    execStart: { type: 'string', help: 'path of the program that it starts; its arguments may be secret' },
  },

  async sample(context, { unit }) {
    const reading = await lookAtUnit(context, unit);
    const { activeState, subState, loadState, unitFileState, mainPid, restarts, exec } = reading;
    return {
      activeState,
      subState,
      loadState,
      unitFileState,
      mainPid,
      restarts,
      processes: await countProcesses(reading),
      ...(exec && { execStart: exec.path }),
    };
  },
});
