import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../testing/memory-storage.ts';
import { smallWorld } from '../testing/small-world.ts';
import { compact } from './compact.ts';
import { openFileStorage } from './file-storage.ts';
import { type Journal, openJournal } from './journal.ts';

const identity = {
  ...{ mesh: 'lab', host: 'h1', labels: {}, machine: 'm1', boot: 'b1', instance: 'i1', version: '1' },
};
const open = (storage: ReturnType<typeof memoryStorage>, change = {}): Journal =>
  openJournal(storage, { identity: { ...identity, ...change }, newId: () => 'j1', nowMs: () => 5 });
const note = (journal: Journal) => journal.append({ type: 'published', records: [] });

describe('a journal', () => {
  it('keeps its id, numbers its records and knows the boot', () => {
    const storage = memoryStorage();
    open(storage);
    const journal = open(storage, { boot: 'b2' });
    expect(journal.state.identity.journal).toBe('j1');
    expect([journal.state.boot, journal.state.lastN]).toEqual(['b2', 3]);
    expect(note(journal).n).toBe(4);
  });

  it('shares one fsync between those who wait together', async () => {
    const storage = memoryStorage();
    const journal = open(storage);
    await journal.sync();
    storage.syncs = 0;
    note(journal);
    const first = journal.sync();
    const rest = Array.from({ length: 50 }, () => {
      note(journal);
      return journal.sync();
    });
    await Promise.all([first, ...rest]);
    expect(storage.syncs).toBe(2);
    expect(storage.onDisk()).toBe(storage.text);
  });

  it('[D2] cuts off a torn last record and goes on', () => {
    const storage = memoryStorage();
    note(open(storage));
    const length = storage.text.length;
    storage.text += '1234abcd {"type":"outc';
    const journal = open(storage);
    expect([journal.failure, storage.text.slice(0, length).length]).toEqual([undefined, length]);
    expect(open(storage).failure).toBeUndefined();
  });

  it.each([
    ['SB-JOURNAL-DAMAGED', (text: string) => text.replace('"m1"', '"m2"'), {}],
    ['SB-JOURNAL-IDENTITY', (text: string) => text, { machine: 'm2' }],
    ['SB-JOURNAL-IDENTITY', (text: string) => text, { host: 'h2' }],
  ])('[D2] is out of use with %s, and is not written to', (code, change, other) => {
    const storage = memoryStorage();
    open(storage);
    storage.text = change(storage.text);
    const before = storage.text;
    const journal = open(storage, other);
    expect(journal.failure?.code).toBe(code);
    expect(() => note(journal)).toThrow('SB-JOURNAL-WRITE');
    expect(storage.text).toBe(before);
  });

  it('[D2] is out of use for good after a failed fsync or write', async () => {
    for (const broken of [{ sync: new Error('EIO') }, { append: new Error('ENOSPC') }]) {
      const storage = memoryStorage();
      const journal = open(storage);
      await journal.sync();
      storage.broken = broken;
      await expect(async () => {
        note(journal);
        await journal.sync();
      }).rejects.toThrow('SB-JOURNAL-WRITE');
      storage.broken = {};
      expect(journal.failure?.code).toBe('SB-JOURNAL-WRITE');
      expect(() => note(journal)).toThrow('SB-JOURNAL-WRITE');
    }
  });
});

describe('compaction', () => {
  it('[D2] forgets closed runs only, and never that they are closed', async () => {
    const world = await smallWorld();
    await world.give(world.command());
    await world.give(world.command({ run: 'run-2' }));
    await world.control({ type: 'closed', id: 'c1', outcome: 'completed' });
    const { storage, clock, keys, journal } = world;
    expect(compact(journal, { worthBytes: 0 })).toEqual(['run-1']);
    expect(storage.text).not.toContain('"step":"s","direction":"do","attempt":1,"planHash":"p","run":"run-1"');
    const restarted = await smallWorld({ storage: memoryStorage(storage.text), clock, keys });
    expect([...restarted.journal.state.commands.values()].map(({ run }) => run)).toEqual(['run-2']);
    await restarted.give(restarted.command());
    expect(restarted.runs()).toEqual([]);
    expect(restarted.reports()).toMatchObject([{ type: 'refused', failure: { code: 'SB-AGENT-RUN-CLOSED' } }]);
    expect(restarted.journal.failure).toBeUndefined();
    const types = storage.text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line.slice(9)) as { type: string }).type);
    const rest = ['intent', 'published', 'outcome', 'published'];
    expect(types.toSorted()).toEqual(['created', 'opened', 'closed-run', ...rest].toSorted());
  });

  it('keeps a run whose reports are still owed', async () => {
    const world = await smallWorld();
    world.bus.full = new Error('full');
    await world.give(world.command());
    await world.control({ type: 'closed', id: 'c1', outcome: 'completed' });
    expect(compact(world.journal, { worthBytes: 0 })).toEqual([]);
  });
});

describe('a journal in a file', () => {
  it('is there again, also after it was replaced', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'signalbox-journal-'));
    try {
      const path = join(dir, 'journal.log');
      const storage = openFileStorage(path);
      storage.append('one\n');
      await storage.sync();
      storage.append('two');
      storage.truncate(4);
      storage.replace('three\n');
      storage.append('four\n');
      await storage.sync();
      expect(Buffer.from(storage.read()).toString()).toBe('three\nfour\n');
      storage.close();
      expect(readFileSync(path, 'utf8')).toBe('three\nfour\n');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
