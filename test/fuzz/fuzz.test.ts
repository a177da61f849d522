import { describe, expect, it } from 'vitest';
import { fuzz } from './campaign.ts';
import { targets } from './targets.ts';

/** Of what takes milliseconds for each. */
const FEWER: Readonly<Record<string, number>> = {
  runbooks: 60,
  'bundles sealed anew': 400,
  'what is in sealed boxes': 300,
};

/** A small part of `npm run fuzz`; a seed that has found something is added here. */
describe.each(targets().map((target) => [target.name, target] as const))('%s', (name, target) => {
  it.each([1, 20_261_121])('refuse what nobody meant, and take nothing for what it is not: seed %i', (seed) => {
    expect(fuzz(target, { inputs: FEWER[name] ?? 1_500, seed }).findings).toEqual([]);
  });
});
