import { describe, expect, it } from 'vitest';
import { oplogWindow, writesIn } from './oplog.ts';
import { headroom } from './oplog-headroom.ts';

const entry = (op: string, ns: string, o: object = {}) => ({ op, ns, o });

describe('[T35] an entry of the oplog', () => {
  it.each([
    ['a no-op', entry('n', '', { msg: 'periodic noop' })],
    ['a session', entry('u', 'config.system.sessions')],
    ['the record of a transaction', entry('i', 'config.transactions')],
    ['the position of mongosync', entry('u', 'mongosync_reserved_for_internal_use.resumeData')],
    ['a signing key', entry('i', 'admin.system.keys')],
    ['a collection of the server’s own', entry('c', 'config.$cmd', { create: 'image_collection' })],
    ['a transaction on those alone', entry('c', 'admin.$cmd', { applyOps: [entry('u', 'config.transactions')] })],
  ])('is no write: %s', (_, found) => {
    expect(writesIn(found)).toEqual([]);
  });

  it.each([
    ['an insert', entry('i', 'shop.orders'), [{ kind: 'insert', ns: 'shop.orders' }]],
    ['a new user', entry('i', 'admin.system.users'), [{ kind: 'insert', ns: 'admin.system.users' }]],
    ['an index', entry('c', 'shop.$cmd', { createIndexes: 'orders' }), [{ kind: 'command', ns: 'shop.orders' }]],
    ['a renaming', entry('c', 'shop.$cmd', { renameCollection: 'shop.a' }), [{ kind: 'command', ns: 'shop.$cmd' }]],
    ['what nobody knows yet', entry('x', 'shop.orders'), [{ kind: 'x', ns: 'shop.orders' }]],
    [
      'a prepared transaction’s end',
      entry('c', 'admin.$cmd', { commitTransaction: 1 }),
      [{ kind: 'command', ns: 'admin.$cmd' }],
    ],
  ])('is a write: %s', (_, found, writes) => {
    expect(writesIn(found)).toEqual(writes);
  });

  it('of admin.$cmd counts by what the transaction wrote', () => {
    const inner = [entry('i', 'shop.orders'), entry('u', 'shop.totals'), entry('u', 'config.transactions')];
    expect(writesIn(entry('c', 'admin.$cmd', { applyOps: inner })).map(({ ns }) => ns)).toEqual([
      'shop.orders',
      'shop.totals',
    ]);
  });
});

describe('[T34] the oplog', () => {
  const bounds = { firstSeconds: 1_000, lastSeconds: 4_600, usedBytes: 25, maxBytes: 100 };

  it('that is not full yet has lost nothing, and will reach further than it does', () => {
    expect(oplogWindow(bounds)).toEqual({ windowSeconds: 3_600, fullWindowSeconds: 14_400 });
    expect(oplogWindow({ ...bounds, usedBytes: 120 })).toEqual({ windowSeconds: 3_600, fullWindowSeconds: 3_600 });
  });

  it('is too short for a copy that goes on for longer: seen while it copies, not when it is over', () => {
    const full = { ...bounds, usedBytes: 100 };
    const copy = {
      stage: 'initial sync',
      phase: undefined,
      errorMessage: undefined,
      current: undefined,
      latest: undefined,
      copying: ['a.b'],
    };
    const at = (copiedBytes: number, elapsedSeconds: number) =>
      headroom({ status: { ...copy, copiedBytes, totalBytes: 1_000 }, bounds: full, elapsedSeconds });
    // After 10 minutes a third is copied: 20 more, of an hour's window.
    expect(at(333, 600)).toMatchObject({ restSeconds: 1_202, headroomSeconds: 1_798 });
    // The naive way looks at the window before: 60 minutes, and at the copy: half done after 50. It cannot succeed.
    expect(at(500, 3_000)).toMatchObject({ restSeconds: 3_000, headroomSeconds: -2_400 });
    expect(at(0, 60)).not.toHaveProperty('restSeconds');
    // A small copy that has just begun: at this rate it would take 8 minutes, and it is done in the next moment.
    expect(at(20, 10)).toEqual({ headroomSeconds: 3_590, windowSeconds: at(20, 10).windowSeconds, elapsedSeconds: 10 });
  });

  it('may not move past the place where the mirror reads', () => {
    const following = {
      stage: 'oplog sync',
      phase: undefined,
      errorMessage: undefined,
      latest: undefined,
      copying: [],
      copiedBytes: 0,
      totalBytes: 0,
    };
    const current = String(4_000n << 32n);
    const full = { ...bounds, usedBytes: 100 };
    expect(headroom({ status: { ...following, current }, bounds: full, elapsedSeconds: 9_999 })).toMatchObject({
      headroomSeconds: 3_000,
    });
  });
});
