import { describe, expect, it } from 'vitest';
import { fuzz } from './campaign.ts';
import { targets } from './targets.ts';

/** A small part of `npm run fuzz`; a seed that has found something is added here. */
describe.each(targets().map((target) => [target.name, target] as const))('%s', (name, target) => {
  it.each([1, 20_261_121])('refuse what nobody meant, and take nothing for what it is not: seed %i', (seed) => {
    const inputs = name === 'runbooks' ? 60 : 1_500;
    expect(fuzz(target, { inputs, seed }).findings).toEqual([]);
  });
});
