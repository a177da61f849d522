import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isJsonObject, type JsonObject } from '@signalbox/protocol';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { syncPath } from '../support/files.ts';
import { HomeAndUnit, homeProblems } from './home.ts';
import { addressIn, keyOf, requireNodeDown } from './key.ts';
import { isThere } from './swap.ts';

/**
 * Takes the validator key from a stopped node. A mask holds until the next boot, and a unit in /etc cannot be masked for
 * one at all; a node that comes up without its key makes a new one and signs nothing that counts [T06, I10].
 */
export const remesdSetKeyAside = defineAction<HomeAndUnit>({
  name: 'remesd.setKeyAside',
  version: 1,
  summary:
    'Takes the validator key from a stopped node, so that nothing that starts it, not even a reboot, signs with it.',
  schema: HomeAndUnit,
  effect: 'reversible',
  does: 'set the validator key of {home} aside',
  undoes: 'the validator key back',
  leaves: 'a key that the node made for itself meanwhile, under another name',
  touches: ['path:{home}'],
  receipt: { address: 'whose key it is', own: 'where it lies' },

  async check(context, input) {
    const problems = await homeProblems(context, input);
    const key = keyOf(input.home);
    const address = await addressIn(key);
    const before = { address, own: { aside: `${key}.aside-${context.executionId}` } };
    return { before, note: `validator ${address}`, problems };
  },

  async run(context, input, before) {
    await requireNodeDown(context, input);
    const [key, aside] = [keyOf(input.home), asideOf(before)];
    if (await isThere(aside)) return {};
    await rename(key, aside);
    await syncPath(dirname(key));
    return {};
  },

  async undo(context, input, receipt) {
    const [key, aside] = [keyOf(input.home), asideOf(receipt)];
    if (!(await isThere(aside))) return { restored: false };
    await requireNodeDown(context, input);
    if (await isThere(key)) await rename(key, `${key}.made-${context.executionId}`);
    await rename(aside, key);
    await syncPath(dirname(key));
    return { restored: true };
  },

  async probe(_context, _input, { direction, receipt }) {
    return (await isThere(asideOf(receipt))) === (direction === 'do') ? 'applied' : 'not-applied';
  },
});

/** @throws SB-ACT-NO-RECEIPT */
function asideOf({ own }: JsonObject): string {
  const aside = isJsonObject(own) ? own.aside : undefined;
  if (typeof aside !== 'string') throw actionError('SB-ACT-NO-RECEIPT', 'where the key went was not recorded');
  return aside;
}
