import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Happening, isBefore, Queue } from './queue.ts';

it('gives out what was not called off, the earliest first, and in the order of planning what comes at once', () => {
  const moments = fc.array(fc.record({ atMs: fc.nat(20), off: fc.boolean() }));
  const property = fc.property(moments, (planned) => {
    const queue = new Queue();
    const all = planned.map(({ atMs, off }, order) => {
      const happening: Happening = { atMs, order, what: () => {} };
      queue.push(happening);
      return { happening, off };
    });
    for (const { happening, off } of all) if (off) happening.what = undefined;
    const given: Happening[] = [];
    for (let { first } = queue; first; { first } = queue) {
      given.push(first);
      queue.shift();
    }
    const left = all.filter(({ off }) => !off).map(({ happening }) => happening);
    expect(given).toEqual(left.sort((one, other) => (isBefore(one, other) ? -1 : 1)));
  });
  fc.assert(property);
});
