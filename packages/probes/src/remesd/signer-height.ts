import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostContext } from '@signalbox/protocol';
import { optionOf, readSignerState, SIGNER_STATE_FILE } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { probeError } from '../codes.ts';
import { defineProbe } from '../contract.ts';
import { lookAtUnit, UnitName } from '../support/unit.ts';

const With = z.strictObject({
  unit: UnitName.default('remesd.service').describe('The unit that runs the node.'),
  home: z.string().startsWith('/').optional().describe("When not given: the unit's --home."),
});

export const remesdSignerHeight = defineProbe<z.infer<typeof With>>({
  name: 'remesd.signerHeight',
  version: 1,
  summary:
    'What the validator key on this host signed last, from priv_validator_state.json. Works while the node is down.',
  schema: With,
  values: {
    height: { type: 'number', help: 'absent when the host has no signing state; decimal text above 2^53' },
    round: { type: 'number', help: 'round of that height' },
    step: { type: 'number', help: '1 proposal, 2 prevote, 3 precommit' },
  },

  async sample(context, { unit, home }) {
    const folder = home ?? (await homeOf(context, unit));
    if (folder === undefined) throw probeError('SB-PROBE-HOME-UNKNOWN', `${unit} names no --home`);
    const path = join(folder, 'data', SIGNER_STATE_FILE);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) return {};
    const state = readSignerState(text);
    if (!state) throw probeError('SB-PROBE-SIGNER-STATE', `${path} does not say what was signed last`);
    return { ...state };
  },
});

/** Where unit files lie that a runtime mask hides, in systemd's order (systemd.unit(5)). */
const UNIT_FOLDERS = ['/etc/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system'];

/**
 * The home that the unit names. systemd says nothing of what a masked unit starts, and the node that must be proven not to
 * sign is a masked one [I10]: its file still says it.
 */
async function homeOf(context: HostContext, unit: string): Promise<string | undefined> {
  const { exec, loadState } = await lookAtUnit(context, unit);
  if (loadState !== 'masked') return optionOf(exec?.argv ?? [], '--home');
  for (const folder of UNIT_FOLDERS) {
    const text = await readFile(join(folder, unit), 'utf8').catch(() => '');
    const home = /^ExecStart=.*\s--home[\s=](\/\S+)/m.exec(text)?.[1];
    if (home !== undefined) return home;
  }
  return undefined;
}
