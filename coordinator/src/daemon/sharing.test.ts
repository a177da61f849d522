import { describe, expect, it } from 'vitest';
import type { Member } from './members.ts';
import { dealOut } from './sharing.ts';

const member = (id: string, ...runs: string[]): Member => ({ id, name: id, runs });
const names = (count: number) => Array.from({ length: count }, (_, i) => `run-${i}`);

describe('runs that nobody leads', () => {
  it('are dealt to whoever has the fewest, whatever the order in which they and the members are seen', () => {
    const orphans = names(7);
    const [a, b, c] = [member('a', 'x', 'y', 'z'), member('b'), member('c', 'w')];
    const dealt = dealOut(orphans, [a, b, c]);
    expect([...dealt].map(([id, runs]) => [id, runs.length])).toEqual([
      ['a', 1],
      ['b', 4],
      ['c', 2],
    ]);
    const other = dealOut(orphans.toReversed(), [c, b, a]);
    for (const { id } of [a, b, c]) expect(other.get(id)).toEqual(dealt.get(id));
    expect([...dealt.values()].flat().sort()).toEqual(orphans);
  });

  it('go to nobody when nobody is there', () => {
    expect(dealOut(names(2), [])).toEqual(new Map());
  });
});
