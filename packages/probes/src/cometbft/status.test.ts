import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, rename, stat } from 'node:fs/promises';
import { holds } from '@signalbox/protocol';
import { codeOf, LocalHost, StandInUnits, until } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';
import { StandInServer } from '../support/stand-in-server.ts';

const probe = probeByName.get('cometbft.status') as Probe;
const UNIT = 'remesd.service';

let host: LocalHost;
let units: StandInUnits;
let rpc: StandInServer;

beforeEach(async () => {
  host = await LocalHost.create();
  units = await new StandInUnits(host).install();
  rpc = await new StandInServer().listen();
  await unitUp();
  await host.write(
    'home/config/config.toml',
    `moniker = "n"\n[rpc]\nladdr = "tcp://${rpc.address}"\n[p2p]\nladdr = "tcp://x:1"\n`,
  );
  answer({ sync_info: sync() });
});
afterEach(async () => {
  await rpc[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

async function unitUp(properties: Record<string, string | number> = {}) {
  const argv = `/opt/remesd start --home ${host.file('home')}`;
  const ExecStart = `{ path=/opt/remesd ; argv[]=${argv} ; ignore_errors=no }`;
  await units.add(UNIT, { ActiveState: 'active', SubState: 'running', MainPID: 8, ExecStart, ...properties });
}

function sync(change: object = {}) {
  const latest_block_time = new Date(host.nowMs() - 4_000).toISOString().replace('Z', '123456Z');
  return { latest_block_height: '1204', latest_block_time, catching_up: false, ...change };
}

function answer(status: object, peers = '3') {
  const node_info = { network: 'r3mes-1', version: '0.38.19' };
  rpc.answers.set('/status', { jsonrpc: '2.0', id: -1, result: { node_info, ...status } });
  rpc.answers.set('/net_info', { jsonrpc: '2.0', id: -1, result: { listening: true, n_peers: peers } });
}

const sample = (input: object = {}) => probe.sample(host, { unit: UNIT, ...input });

describe('cometbft.status', () => {
  it('asks the address that the node of the unit is configured with', async () => {
    const values = await sample();
    expect(values).toMatchObject({
      catchingUp: false,
      height: 1204,
      peers: 3,
      version: '0.38.19',
      chainId: 'r3mes-1',
      unitState: 'active',
      restarts: 0,
    });
    expect(values.blockAgeSeconds).toBeGreaterThanOrEqual(4);
    expect(values.blockAgeSeconds).toBeLessThan(10);
  });

  it('[T23] reads the older form of the status, and one without an envelope', async () => {
    rpc.answers.set('/status', { NodeInfo: { network: 'r3mes-1' }, SyncInfo: sync() });
    expect(await sample()).toMatchObject({ catchingUp: false, height: 1204, chainId: 'r3mes-1' });
  });

  it('[T23] a node without peers says that it is not catching up, and the other values give it away', async () => {
    answer({ sync_info: sync({ latest_block_time: new Date(host.nowMs() - 3_600_000).toISOString() }) }, '0');
    const window = [
      { atMs: 0, values: await sample() },
      { atMs: 1, values: await sample() },
    ];
    expect(holds({ catchingUp: { equals: false } }, window)).toBe(true);
    expect(holds({ height: { rising: true } }, window)).toBe(false);
    expect(holds({ blockAgeSeconds: { atMost: 15 } }, window)).toBe(false);
    expect(holds({ peers: { atLeast: 1 } }, window)).toBe(false);
  });

  it.each([
    ['a number', '9007199254740993'],
    ['text', '"9007199254740993"'],
  ])('[T23] rounds no height that comes as %s', async (_how, written) => {
    rpc.answers.set('/status', `{"result":{"sync_info":{"latest_block_height":${written},"catching_up":false}}}`);
    expect((await sample()).height).toBe('9007199254740993');
  });

  it('[T22] shows a crash loop while nothing answers, and no value that is not known', async () => {
    await rpc[Symbol.asyncDispose]();
    await unitUp({ ActiveState: 'activating', SubState: 'auto-restart', NRestarts: 4, MainPID: 0 });
    expect(await sample()).toEqual({ activeState: 'activating', unitState: 'activating', restarts: 4, mainPid: 0 });
  });

  describe('tells a node of the installed release from one that still runs the former', () => {
    let path: string;
    beforeEach(() => {
      path = host.file('remesd');
    });
    /** As a unit starts it. It waits on its standard input for ever. */
    async function started(args: string[] = []): Promise<ChildProcess> {
      const { ctimeMs } = await stat(path);
      // The kernel says to a hundredth of a second when a process was started.
      await until('the file to be older than what is started now', () => Date.now() > ctimeMs + 50);
      const child = spawn(path, args, { stdio: ['pipe', 'ignore', 'ignore'] });
      onTestFinished(() => void child.kill('SIGKILL'));
      await once(child, 'spawn');
      const ExecStart = `{ path=${path} ; argv[]=${path} start --home ${host.file('home')} ; ignore_errors=no }`;
      await unitUp({ MainPID: child.pid ?? 0, ExecStart });
      return child;
    }
    const runsInstalled = async () => (await sample()).runsInstalled;

    it.each([
      ['a binary', () => copyFile('/bin/sleep', path), ['1000']],
      ['a script', () => host.write('remesd', '#!/bin/sh\nread forever\n', 0o755), []],
    ])('%s', async (_what, put, args) => {
      await put();
      await started(args);
      expect(await runsInstalled()).toBe(true);
      // A release is put in its place, as an installation does it, and nobody starts it.
      await rename(path, `${path}.former`);
      expect(await runsInstalled()).toBe(false);
      await put();
      expect(await runsInstalled()).toBe(false);
      await started(args);
      expect(await runsInstalled()).toBe(true);
    });
  });

  it('asks nobody when it cannot know the address', async () => {
    await units.add(UNIT, { ActiveState: 'active' });
    expect(Object.keys(await sample())).not.toContain('height');
    expect(rpc.seen).toEqual([]);
  });

  it('[I11] is no sample when neither systemd nor the node can be asked', async () => {
    await host.program('systemctl', 'exit 1');
    expect(await codeOf(sample())).toBe('SB-PROBE-SYSTEMCTL');
    expect(await sample({ rpc: rpc.url })).toMatchObject({ height: 1204 });
    await rpc[Symbol.asyncDispose]();
    expect(await codeOf(sample({ rpc: rpc.url }))).toBe('SB-PROBE-HTTP');
  });
});
