import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../system.ts';
import { type TestKeeper, testKeeper } from '../../testing/test-keeper.ts';
import { isAlive, signalGroup } from '../processes.ts';
import { treeOf } from '../tree.ts';
import { createKeeperClient, type KeeperClient } from './client.ts';
import { openDoor } from './door.ts';
import { findExit, prepareExit } from './exit-file.ts';
import { createKeeper } from './keeper.ts';
import { waitForExit } from './starter.ts';

let folder: string;
let keeper: TestKeeper;
const left: { pid: number }[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-keeper-'));
  keeper = testKeeper(folder);
});
afterEach(async () => {
  for (const { pid } of left.splice(0)) signalGroup(pid, 'SIGKILL');
  await keeper.end();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);

async function start(script: string, { name = '0', client = keeper.client as KeeperClient, env = {} } = {}) {
  const argv = ['sh', '-c', script] as const;
  const kept = await client.start({ argv, env: { PATH: process.env.PATH ?? '', ...env }, files: path(name) });
  const group = await kept.started;
  if (group) left.push(group);
  return { ...kept, group, files: path(name), tree: treeOf(group, { mark: path(name) }), clock: systemClock };
}

/** A process that runs until the test lets it end. */
const held = (end = 'end') => `until [ -e ${path(end)} ]; do sleep 0.02; done; exit 7`;
const letEnd = (end = 'end') => mkdirSync(path(end));

describe('a keeper', () => {
  it('writes an exit to disk that nobody listens to any more', async () => {
    const kept = await start(held());
    keeper.client.close();
    expect(await kept.exit).toBeUndefined();
    expect(findExit(kept.files)).toEqual({ keeper: kept.keeper });
    letEnd();
    expect(await waitForExit(kept)).toMatchObject({ type: 'exited', exitCode: 7 });
    expect(statSync(`${kept.files}.exit`).mode & 0o777).toBe(0o600);
  });

  it('is found again by the next agent, and two that begin at once share it', async () => {
    const one = await start(held(), { name: 'a' });
    keeper.client.close();
    const others = [testKeeper(folder), testKeeper(folder)];
    const two = await Promise.all(others.map(({ client }, i) => start('true', { name: `b${i}`, client })));
    expect(two.map((kept) => kept.keeper)).toEqual([one.keeper, one.keeper]);
    for (const other of others) other.client.close();
    letEnd();
  });

  it('is one, also when two agents want the first at the same moment', async () => {
    const others = [testKeeper(folder), testKeeper(folder), testKeeper(folder)];
    const kept = await Promise.all(others.map(({ client }, i) => start('true', { name: `c${i}`, client })));
    expect(new Set(kept.map((each) => each.keeper.pid)).size).toBe(1);
    for (const other of others) await other.end();
  });

  it('that was killed is followed by another, in spite of the socket that it left', async () => {
    const one = await start('true', { name: 'a' });
    await keeper.kill();
    expect(existsSync(path('keeper-2.sock'))).toBe(true);
    const env = { PATH: process.env.PATH ?? '' };
    const argv = ['sh', '-c', 'exit 3'] as const;
    const two = await keeper.starter.start({ argv, env, cwd: undefined, stdin: undefined, files: path('b') });
    expect(await two.exit).toMatchObject({ exitCode: 3 });
    expect(keeper.keepers).toEqual([one.keeper, expect.anything()]);
  });

  it('[I5] that is killed takes the exits with it: its processes go on, and how they end is unknown', async () => {
    const kept = await start(held());
    await keeper.kill();
    expect(await kept.exit).toBeUndefined();
    expect(kept.group && isAlive(kept.group)).toBe(true);
    const waiting = waitForExit(kept);
    letEnd();
    expect(await waiting).toMatchObject({ type: 'lost' });
  });

  it('[I1] starts nothing twice under one name, whoever asks', async () => {
    await (await start('echo once', { name: 'same' })).exit;
    const again = await start('echo twice', { name: 'same' });
    expect(await again.exit).toMatchObject({ type: 'lost' });
    expect(readFileSync(path('same.out'), 'utf8')).toBe('once\n');
  });

  it('starts nothing of which the end could not be written down', async () => {
    mkdirSync(path('0.exit.new'));
    const kept = await start(`touch ${path('ran')}`);
    expect(await kept.exit).toMatchObject({ type: 'lost', reason: expect.stringContaining('EEXIST') });
    expect(existsSync(path('ran'))).toBe(false);
  });

  it('tells the agent the truth also when the disk does not take it', async () => {
    mkdirSync(path('0.exit'));
    mkdirSync(path('0.exit/full'));
    const kept = await start('exit 4');
    expect(await kept.exit).toMatchObject({ exitCode: 4 });
  });

  it('[I9] shows nothing of what it was given', async () => {
    const kept = await start(held(), { env: { TOKEN: 'hunter2' } });
    const shown = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${kept.keeper.pid}/${file}`, 'utf8'));
    expect(shown.join()).not.toContain('hunter2');
    expect(readFileSync(`${kept.files}.exit.new`, 'utf8')).not.toContain('hunter2');
    expect(readFileSync(`/proc/${kept.group?.pid}/environ`, 'utf8')).toContain('hunter2');
    letEnd();
    await kept.exit;
  });

  it('ends when it was idle', async () => {
    const ends: string[] = [];
    await new Promise<void>((resolve) => {
      const release = () => void ends.push('release');
      void openDoor(folder, { keeper: createKeeper(), idleMs: 20, release, exit: resolve });
    });
    expect([ends, existsSync(path('keeper-2.sock'))]).toEqual([['release'], false]);
  });

  it('does not stay behind: without an agent it ends with its last process', async () => {
    const kept = await start(held());
    keeper.client.close();
    letEnd();
    await until('its end', () => !isAlive(kept.keeper));
    expect(findExit(kept.files)).toMatchObject({ exit: { exitCode: 7 } });
  });

  it('does what is asked for while it goes, and goes then', async () => {
    const here = createKeeper();
    let gone = () => {};
    const exit = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const door = await openDoor(folder, { keeper: here, idleMs: 60_000, release: () => {}, exit: () => gone() });
    // Not the test's own client: that one ends the keepers that it has met, and this one is the test itself.
    const client = createKeeperClient({ folder, program: 'none', clock: systemClock });
    await (await start('true', { name: 'early', client })).exit;
    const late = start(held(), { name: 'late', client });
    door.leave();
    await until('its start', () => here.running === 1);
    letEnd();
    const kept = await late;
    expect((await kept.exit) ?? (await waitForExit(kept))).toMatchObject({ exitCode: 7 });
    await exit;
  });
});

describe('an exit on disk', () => {
  it('is there as a whole or not at all, and says who was to write it', () => {
    const self = { pid: 5, startTicks: '9' };
    expect(findExit(path('x'))).toBeUndefined();
    const prepared = prepareExit(path('x'), self);
    expect(findExit(path('x'))).toEqual({ keeper: self });
    const size = statSync(path('x.exit.new')).size;
    const exit = { type: 'signalled' as const, signal: 'SIGKILL', durationMs: 1_234.5 };
    prepared.write(exit);
    expect(findExit(path('x'))).toEqual({ exit });
    expect(statSync(path('x.exit')).size).toBe(size);
  });
});
