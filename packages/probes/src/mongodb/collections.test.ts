import { describe, expect, it } from 'vitest';
import { type CollectionFacts, differencesOf, fingerprint, normaliseIndex } from './collections.ts';

const facts = (over: Partial<CollectionFacts> = {}): CollectionFacts => ({
  count: 2,
  hash: 'a',
  indexes: { _id_: 'id' },
  options: '{}',
  ...over,
});
const side = (entries: Record<string, CollectionFacts>) => new Map(Object.entries(entries));

describe('[T38] two sides', () => {
  it('are the same only in documents, indexes and options', () => {
    const left = side({ 'a.b': facts() });
    expect(differencesOf(left, side({ 'a.b': facts() }))).toEqual([]);
    expect(differencesOf(left, side({ 'a.b': facts({ hash: 'b' }) }))).toEqual([
      'a.b has as many documents, of other content',
    ]);
    expect(differencesOf(left, side({ 'a.b': facts({ count: 1, hash: 'b' }) }))).toEqual([
      'a.b has 2 documents on the left and 1 on the right',
    ]);
    expect(differencesOf(left, side({}))).toEqual(['a.b is only on the left']);
    expect(differencesOf(left, side({ 'a.b': facts({ indexes: {} }) }))).toEqual([
      'index _id_ of a.b is only on the left',
    ]);
    expect(differencesOf(left, side({ 'a.b': facts({ options: '{"capped":true}' }) }))).toEqual([
      'a.b has other options',
    ]);
  });

  it('have the same fingerprint whatever the order', () => {
    const [x, y] = [facts(), facts({ hash: 'z' })];
    expect(fingerprint(side({ 'a.b': x, 'a.c': y }))).toBe(fingerprint(side({ 'a.c': y, 'a.b': x })));
    expect(fingerprint(side({ 'a.b': x }))).not.toBe(fingerprint(side({ 'a.b': y })));
  });

  it('build an index the same way where only its format and the order of its options differ', () => {
    const old = { v: 1, ns: 'a.b', background: true, key: { x: 1, y: -1 }, name: 'xy', unique: true, sparse: true };
    expect(normaliseIndex(old)).toBe(
      normaliseIndex({ v: 2, key: { x: 1, y: -1 }, name: 'xy', sparse: true, unique: true }),
    );
    expect(normaliseIndex(old)).not.toBe(normaliseIndex({ ...old, key: { y: -1, x: 1 } }));
    expect(normaliseIndex(old)).not.toBe(normaliseIndex({ ...old, unique: false }));
  });
});
