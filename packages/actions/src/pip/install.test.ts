import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';
import { holdsPin, nameOf } from './environment.ts';

const install = actionByName.get('pip.install') as Required<Action>;
const input = (change: JsonObject = {}): JsonObject => ({ venv: '/venv', requirement: 'demo-miner==1.0.0', ...change });

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
});
afterEach(() => host[Symbol.asyncDispose]());

describe('pip.install', () => {
  it('[T20] takes only pinned requirements, and [I9] no password in an index', () => {
    const of = (change: JsonObject) => install.schema.safeParse(input(change)).success;
    expect(of({})).toBe(true);
    for (const requirement of ['demo-miner', 'demo-miner>=1', '-r x.txt', '--pre', './x', 'a==1 b==2', 'a==1;b']) {
      expect(of({ requirement }), requirement).toBe(false);
    }
    expect(of({ index: 'https://user:pass@index/simple' })).toBe(false);
    expect(of({ index: 'https://index/simple' })).toBe(true);
  });

  it('names a missing environment at plan time', async () => {
    const { problems } = await install.check(host, input({ venv: host.file('nowhere') }));
    expect(problems.map((p) => p.code)).toEqual(['SB-ACT-PROGRAM-MISSING']);
  });

  it('[T20] undoes nothing by guessing: without the recorded packages it says so', async () => {
    expect(await codeOf(install.undo(host, input(), {}))).toBe('SB-ACT-NO-RECEIPT');
  });

  it('compares names as pip does', () => {
    expect(nameOf('Demo_Miner==1.0')).toBe('demo-miner');
    expect(nameOf('demo.miner @ file:///x.whl')).toBe('demo-miner');
    expect(nameOf('-e git+https://host/x#egg=demo_miner')).toBe('demo-miner');
    expect(holdsPin(['Demo_Miner==1.0.0'], 'demo-miner[gpu]==1.0.0')).toBe(true);
    expect(holdsPin(['demo-miner==1.0.0.1'], 'demo-miner==1.0.0')).toBe(false);
  });
});
