import { codeOf, LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import { StandInServer } from '../support/stand-in-server.ts';

let host: LocalHost;
let rpc: StandInServer;
beforeEach(async () => {
  host = await LocalHost.create();
  rpc = await new StandInServer().listen();
  const home = host.file('home');
  await host.write('home/config/config.toml', `[rpc]\nladdr = "tcp://${rpc.address}"\n`);
  await host.write('home/data/x.db', 'x'.repeat(5_000));
  const units = await new StandInUnits(host).install();
  const argv = `${host.file('bin', 'remesd')} start --home ${home}`;
  await units.add('remesd.service', {
    ExecStart: `{ path=${host.file('bin', 'remesd')} ; argv[]=${argv} ; ignore_errors=no }`,
  });
  await chain('{"params":{"signed_blocks_window":"10000","min_signed_per_window":"0.950000000000000000"}}');
});
afterEach(async () => {
  await rpc[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const chain = (params: string) => host.program('remesd', `echo '${params}'`);
const block = (height: number, time: string) => ({ result: { block: { header: { height: String(height), time } } } });
const sample = (copyBytesPerSecond: number) =>
  probeByName.get('remesd.downtime')?.sample(host, { unit: 'remesd.service', copyBytesPerSecond }) ?? Promise.reject();

it('[T26] says how long a validator may be down, and whether a backup fits in', async () => {
  rpc.answers.set('/block', block(1_200, '2026-11-21T12:05:00.5Z'));
  rpc.answers.set('/block?height=1150', block(1_150, '2026-11-21T12:00:00.5Z'));
  expect(await sample(100)).toEqual({
    windowBlocks: 10_000,
    minSigned: 0.95,
    blockSeconds: 6,
    budgetSeconds: 3_000,
    dataBytes: 5_000,
    backupSeconds: 50,
    headroomSeconds: 2_950,
  });
  expect(await sample(1)).toMatchObject({ backupSeconds: 5_000, headroomSeconds: -2_000 });
});

it('[T26] [I11] is no sample when the chain does not say', async () => {
  expect(await codeOf(sample(100))).toBe('SB-PROBE-FAILED');
  rpc.answers.set('/block', block(1_200, '2026-11-21T12:05:00.5Z'));
  rpc.answers.set('/block?height=1150', block(1_150, '2026-11-21T12:00:00.5Z'));
  await chain('unknown command');
  expect(await codeOf(sample(100))).toBe('SB-PROBE-FAILED');
});
