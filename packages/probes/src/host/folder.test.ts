import { utimes } from 'node:fs/promises';
import { LocalHost } from '@signalbox/protocol/testing';
import { expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';

it('[T16] says how old the newest file of a folder is, whatever its name says, and what room its disk has', async () => {
  const host = await LocalHost.create();
  onTestFinished(() => host[Symbol.asyncDispose]());
  const look = (folder: string) => probeByName.get('host.folder')?.sample(host, { folder: host.file(folder) });
  expect(await look('none/yet')).toEqual({ there: false, freeGib: expect.any(Number) });
  await host.write('dumps/empty.sql', '');
  expect(await look('dumps')).toEqual({ there: true, freeGib: expect.any(Number), entries: 1 });
  const hoursAgo = (hours: number) => host.nowMs() / 1_000 - hours * 3_600;
  await utimes(await host.write('dumps/backup_20261122.sql', 'old'), hoursAgo(30), hoursAgo(30));
  await utimes(await host.write('dumps/backup_20261121.sql', 'newer'), hoursAgo(2), hoursAgo(2));
  expect(await look('dumps')).toMatchObject({ newest: 'backup_20261121.sql', newestAgeHours: 2, newestBytes: 5 });
  await utimes(await host.write('dumps/r3mes-5f2c/database.dump', 'a dump'), hoursAgo(1), hoursAgo(1));
  expect(await look('dumps')).toMatchObject({ entries: 4, newest: 'r3mes-5f2c', newestAgeHours: 1, newestBytes: 6 });
});
