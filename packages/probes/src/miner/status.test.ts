import { LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';
import type { Probe } from '../contract.ts';
import { StandInServer } from '../support/stand-in-server.ts';

const probe = probeByName.get('miner.status') as Probe;
const UNIT = 'r3mes-miner.service';

let host: LocalHost;
let units: StandInUnits;
let miner: StandInServer;
beforeEach(async () => {
  host = await LocalHost.create();
  units = await new StandInUnits(host).install();
  miner = await new StandInServer().listen();
  await unit(`R3MES_MINER_STATS_ADDR=${miner.address} R3MES_WALLET_KEY=hunter2`);
});
afterEach(async () => {
  await miner[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const unit = (Environment: string, more: Record<string, string | number> = {}) =>
  units.add(UNIT, { ActiveState: 'active', SubState: 'running', MainPID: 8, Environment, ...more });
const sample = (input: object = {}) => probe.sample(host, { unit: UNIT, ...input });

describe('miner.status', () => {
  it('asks where the environment of the unit says, and keeps the rest of the environment to itself', async () => {
    miner.answers.set('/stats', { shares_submitted: 42, version: '1.0.0', uptime: 7 });
    const values = await sample();
    expect(values).toMatchObject({ activeState: 'active', sharesSubmitted: 42, version: '1.0.0', uptimeSeconds: 7 });
    expect(JSON.stringify(values)).not.toContain('hunter2');
  });

  it('counts hand-ins from the metrics when the statistics have none, as the real miner', async () => {
    const [, port] = miner.address.split(':');
    await unit(`R3MES_STATS_HOST=0.0.0.0 R3MES_STATS_PORT=${port}`);
    miner.answers.set('/stats', { hashrate: 12.5, uptime_seconds: 60, training_epoch: 3 });
    const metrics = [
      '# TYPE r3mes_miner_submissions_total counter',
      'r3mes_miner_submissions_total{status="success"} 40.0',
      'r3mes_miner_submissions_total{status="failed"} 2.0',
      'r3mes_miner_submissions_created{status="success"} 1.7e+09',
    ];
    miner.answers.set('/metrics', metrics.join('\n'));
    expect(await sample()).toMatchObject({ sharesSubmitted: 42, hashrate: 12.5, uptimeSeconds: 60 });
  });

  it('[T22] says what systemd says while the miner does not answer', async () => {
    await miner[Symbol.asyncDispose]();
    expect(await sample()).toEqual({ activeState: 'active', unitState: 'active', restarts: 0, mainPid: 8 });
  });

  it('asks nobody while the unit is down: somebody else may have the port', async () => {
    await unit(`R3MES_MINER_STATS_ADDR=${miner.address}`, { ActiveState: 'inactive', MainPID: 0 });
    expect(await sample()).not.toHaveProperty('sharesSubmitted');
    expect(miner.seen).toEqual([]);
  });
});
