import { STREAMS } from '@signalbox/protocol';
import { StorageType } from 'nats';
import { expect, it } from 'vitest';
import { codeOf, startLab } from './test-fixture.ts';

it('makes streams once, also from two coordinators at a time, and takes over changed limits', async () => {
  const lab = await startLab();
  const [one, two] = [await lab.coordinator(), await lab.coordinator()];
  await Promise.all([one.prepare(['a1', 'a2']), two.prepare(['a1', 'a2'])]);
  await one.prepare(['a1', 'a2']);
  const narrow = await lab.coordinator({ limits: { outputBytes: 10_000 } });
  await narrow.prepare([]);
  const jsm = await (await lab.bare(lab.mesh.keys.coordinator)).jetstreamManager();
  expect((await jsm.streams.info(STREAMS.outputs)).config.max_bytes).toBe(10_000);
  for (const name of [STREAMS.runs, STREAMS.audits])
    expect((await jsm.streams.info(name)).config).toMatchObject({ deny_delete: true, deny_purge: true });
  expect((await jsm.consumers.list(STREAMS.commands).next()).map(({ name }) => name).sort()).toEqual(['a1', 'a2']);
});

it('fits on a small host when its streams are made small, and says so when they are not', async () => {
  const maxStorageBytes = 64 * 1_048_576;
  const lab = await startLab({ maxStorageBytes });
  expect(await codeOf(async () => (await lab.coordinator()).prepare(['a1']))).toBe('SB-BUS-STORAGE-FULL');
  const small = { commandBytes: 8, controlBytes: 2, reportBytes: 16, outputBytes: 16 };
  const limits = Object.fromEntries(Object.entries(small).map(([name, mib]) => [name, mib * 1_048_576]));
  const coordinator = await lab.coordinator({ limits });
  await coordinator.prepare(['a1']);
  expect(await coordinator.append('run-1', Buffer.from('entry'), 0)).toMatchObject({ sequence: 1 });
});

it.each([
  ['has other subjects', { name: STREAMS.runs, subjects: ['other.>'] }],
  [
    'has settings that cannot be changed',
    { name: STREAMS.runs, subjects: ['sb.lab.run.*'], storage: StorageType.Memory },
  ],
  ['has our subjects under another name', { name: 'MINE', subjects: ['sb.lab.cmd.>'] }],
])("leaves somebody else's stream alone that %s", async (_, theirs) => {
  const lab = await startLab();
  const jsm = await (await lab.bare(lab.mesh.keys.coordinator)).jetstreamManager();
  await jsm.streams.add(theirs);
  const coordinator = await lab.coordinator();
  expect(await codeOf(() => coordinator.prepare([]))).toBe('SB-BUS-STREAM-MISMATCH');
  expect((await jsm.streams.info(theirs.name)).config.subjects).toEqual(theirs.subjects);
});
