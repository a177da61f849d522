import { readUnit } from '@signalbox/protocol/readings';
import { describe, expect, it } from 'vitest';
import { addressProblem, commandLineProblems, type MirrorUnit, sharingProblems } from './mirror-unit.ts';
import { leftovers } from './source-facts.ts';

const mirror = (unit: string, over: Partial<MirrorUnit> = {}): MirrorUnit => ({
  unit,
  reading: readUnit(''),
  host: 'rs/h:1',
  destination: 'new/h:2',
  includes: [unit],
  bookmark: `/var/lib/${unit}`,
  oplogPath: `/var/tmp/${unit}`,
  statusPort: unit,
  drop: false,
  ...over,
});

describe('[T37] several mirrors', () => {
  it('share nothing, and copy nothing twice', () => {
    expect(sharingProblems([mirror('shop'), mirror('crm')])).toEqual([]);
    expect(sharingProblems([mirror('shop'), mirror('crm', { bookmark: '/var/lib/shop' })])).toEqual([
      'shop and crm share their bookmark /var/lib/shop',
    ]);
    expect(
      sharingProblems([mirror('shop'), mirror('crm', { statusPort: 'shop', oplogPath: '/var/tmp/shop' })]),
    ).toHaveLength(2);
    expect(sharingProblems([mirror('shop'), mirror('crm', { includes: ['shop.orders'] })])).toEqual([
      'shop and crm both copy shop.orders',
    ]);
    expect(sharingProblems([mirror('shop'), mirror('shopping')])).toEqual([]);
    expect(sharingProblems([mirror('shop'), mirror('all', { includes: [] })])).toEqual([
      'shop and all both copy everything',
    ]);
  });

  it('leave nothing behind', () => {
    const namespaces = ['crm.people', 'shop.items', 'shop.orders'];
    expect(leftovers(namespaces, [['shop'], ['crm.people']])).toEqual([]);
    expect(leftovers(namespaces, [['shop.orders'], ['crm']])).toEqual(['shop.items']);
    expect(leftovers(namespaces, [['shop.orders'], []])).toEqual([]);
  });

  it('are each started so that they can be watched, go on after a crash, and delete nothing', () => {
    expect(commandLineProblems(mirror('shop'))).toEqual([]);
    expect(
      commandLineProblems(mirror('shop', { statusPort: undefined, bookmark: undefined, drop: true })),
    ).toHaveLength(3);
  });

  it('go from the set that is meant to the one that is meant', () => {
    const real = { setName: 'rs', hosts: ['h:1', 'h:2'] };
    const given = (text: string) => addressProblem({ unit: 'shop', option: '--host', given: text }, real);
    expect(given('rs/h:1')).toEqual([]);
    expect(given('rs/h:2,h:1')).toEqual([]);
    expect(given('rs/h:3')).toHaveLength(1);
    expect(given('other/h:1')).toHaveLength(1);
    expect(given('h:1')).toHaveLength(1);
  });
});
