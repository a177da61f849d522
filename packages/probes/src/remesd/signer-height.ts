import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
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
    const folder = home ?? optionOf((await lookAtUnit(context, unit)).exec?.argv ?? [], '--home');
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
