import { describe, expect, it } from 'vitest';
import { versionProblems } from './compatible.ts';
import { holdsAction, wantedOf } from './held.ts';

describe('what an account holds', () => {
  const anything = [{ resource: { db: '', collection: '' }, actions: ['find'] }];

  it('is not "any database" where the server means its own, and not "any collection" where it means a system’s', () => {
    expect(holdsAction(anything, wantedOf('shop'), 'find')).toBe(true);
    expect(holdsAction(anything, wantedOf('local.oplog.rs'), 'find')).toBe(false);
    expect(holdsAction(anything, wantedOf('shop.system.users'), 'find')).toBe(false);
    expect(holdsAction(anything, { cluster: true }, 'find')).toBe(false);
  });

  it('on one collection is nothing for its database, and on a database is enough for its collections', () => {
    const one = [{ resource: { db: 'shop', collection: 'orders' }, actions: ['find'] }];
    expect([holdsAction(one, wantedOf('shop.orders'), 'find'), holdsAction(one, wantedOf('shop'), 'find')]).toEqual([
      true,
      false,
    ]);
    const all = [{ resource: { db: 'shop', collection: '' }, actions: ['find'] }];
    expect(holdsAction(all, wantedOf('shop.orders'), 'find')).toBe(true);
    expect(holdsAction(all, wantedOf('shop'), 'insert')).toBe(false);
  });

  it('is everything with any action on any resource', () => {
    const root = [{ resource: { anyResource: true }, actions: ['anyAction'] }];
    expect(holdsAction(root, wantedOf('local.oplog.rs'), 'collStats')).toBe(true);
    expect(holdsAction(root, { cluster: true }, 'setParameter')).toBe(true);
  });
});

describe('versions of two sides', () => {
  const at = (version: string) => ({ version, featureVersion: version.split('.').slice(0, 2).join('.') });

  it('go together when the destination is not older and the tool knows both', () => {
    expect(versionProblems({ from: at('4.4.29'), to: at('6.0.19'), tool: 'mongomirror' })).toEqual([]);
    expect(versionProblems({ from: at('6.0.5'), to: at('7.0.15'), tool: 'mongosync' })).toEqual([]);
    expect(versionProblems({ from: at('7.0.15'), to: at('7.0.2'), tool: 'mongosync' })).toEqual([]);
  });

  it('are refused one by one', () => {
    expect(versionProblems({ from: at('5.0.31'), to: at('7.0.15'), tool: 'mongomirror' })).toEqual([
      'the destination is 7.0.15, mongomirror ends with 6.0',
    ]);
    expect(versionProblems({ from: at('5.0.31'), to: at('6.0.1'), tool: 'mongosync' })).toEqual([
      'the source is 5.0.31, mongosync begins with 6.0',
    ]);
    expect(versionProblems({ from: at('10.0.1'), to: at('8.0.4'), tool: 'mongosync' })).toEqual([
      'the destination (8.0.4) is older than the source (10.0.1)',
      "the destination's featureCompatibilityVersion 8.0 is below the source's 10.0",
    ]);
  });
});
