import { mkdir } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';
import { requireReal } from '../testing.ts';
import { findPython, makeVenv, makeWheel } from './real-venv.ts';

const install = actionByName.get('pip.install') as Required<Action>;
const python = await findPython();
const real = requireReal('Python 3 with venv and pip (Debian: python3-venv python3-pip)', python !== undefined);

/** A real pip, in a real virtual environment, installing real packages from a folder; nothing is fetched. */
describe.skipIf(!real)('pip.install', () => {
  let host: LocalHost;
  let venv: string;
  const input = (change: JsonObject = {}): JsonObject => ({
    venv,
    requirement: 'demo-miner==1.0.0',
    findLinks: host.file('wheels'),
    ...change,
  });

  beforeAll(async () => {
    host = await LocalHost.create();
    const wheels = host.file('wheels');
    await mkdir(wheels);
    const packages = [
      { name: 'demo-miner', version: '0.9.0', requires: ['demo-lib<2'], program: 'demo-miner' },
      { name: 'demo-miner', version: '1.0.0', requires: ['demo-lib>=2', 'demo-extra'], program: 'demo-miner' },
      { name: 'demo-lib', version: '1.5' },
      { name: 'demo-lib', version: '2.0' },
      { name: 'demo-extra', version: '0.1' },
      { name: 'demo-guard', version: '1.0', requires: ['demo-lib<2'] },
    ];
    for (const what of packages) await makeWheel(python ?? '', wheels, what);
    venv = host.file('venv');
    await makeVenv(python ?? '', venv);
    await host.program('pip', `exec ${venv}/bin/pip "$@" --disable-pip-version-check`);
  }, 60_000);
  afterAll(() => host[Symbol.asyncDispose]());

  beforeEach(async () => {
    await pip('uninstall', '-y', 'demo-extra', 'demo-guard');
    await fetch('demo-miner==0.9.0', 'demo-lib==1.5');
  });

  /** What a person does with pip, from the same folder of packages. */
  const fetch = (...what: string[]) => pip('install', '--no-index', '--find-links', host.file('wheels'), ...what);

  async function pip(...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await host.exec(['pip', ...words]);
    expect(exitCode, stderr).toBe(0);
    return stdout;
  }
  const freeze = async () => (await pip('freeze', '--all')).trim().split('\n').sort();
  const minerSays = async () => (await host.exec([`${venv}/bin/demo-miner`])).stdout.trim();

  async function doIt(change: JsonObject = {}): Promise<JsonObject> {
    const { before, problems } = await install.check(host, input(change));
    expect(problems).toEqual([]);
    return { ...before, ...(await install.run(host, input(change), before)) };
  }

  it('[T20] installs exactly what is pinned, entry point included, and undo restores the whole environment', async () => {
    const before = await freeze();
    expect((await install.check(host, input())).note).toBe('demo-miner 0.9.0 -> 1.0.0');
    const receipt = await doIt();
    expect(await minerSays()).toBe('1.0.0');
    expect(await freeze()).toEqual(expect.arrayContaining(['demo-lib==2.0', 'demo-extra==0.1']));
    expect(await install.undo(host, input(), receipt)).toEqual({ restored: true });
    expect(await freeze()).toEqual(before);
    expect(await minerSays()).toBe('0.9.0');
    expect(await install.undo(host, input(), receipt)).toEqual({ restored: false });
  });

  it('[T20] says that packages no longer fit together although pip was content, and undo repairs it', async () => {
    await fetch('demo-guard');
    const before = await freeze();
    // The guide's way, with a file that pins nothing: exit code 0, and what another package needs has been replaced.
    await fetch('-r', await host.write('requirements.txt', 'demo-miner\ndemo-lib\n'), '--upgrade');
    expect([await freeze(), (await host.exec(['pip', 'check'])).exitCode]).toEqual([
      expect.arrayContaining(['demo-lib==2.0']),
      1,
    ]);
    await fetch('demo-miner==0.9.0', 'demo-lib==1.5');
    await pip('uninstall', '-y', 'demo-extra');
    const { before: receipt } = await install.check(host, input());
    expect(await codeOf(install.run(host, input(), receipt))).toBe('SB-ACT-PIP-CHECK');
    expect(await freeze()).toContain('demo-lib==2.0');
    await install.undo(host, input(), receipt);
    expect(await freeze()).toEqual(before);
  });

  it('says to whoever takes it back days later what was installed later and would go', async () => {
    const receipt = await doIt();
    expect(receipt.installed).toEqual(['demo-extra==0.1', 'demo-lib==2.0', 'demo-miner==1.0.0']);
    expect(await install.loses(host, input(), receipt)).toEqual([]);
    await fetch('demo-guard');
    expect(await install.loses(host, input(), receipt)).toEqual(['demo-guard==1.0 was installed later']);
    await fetch('demo-miner==0.9.0', 'demo-lib==1.5');
    expect(await install.loses(host, input(), receipt)).toEqual(['demo-guard==1.0 was installed later']);
  });

  it('[T20] undo works on an environment that was changed half-way', async () => {
    const { before: receipt } = await install.check(host, input());
    const before = await freeze();
    await fetch('demo-lib==2.0', 'demo-extra');
    const ask = (direction: 'do' | 'undo') => install.probe(host, input(), { direction, receipt });
    expect([await ask('do'), await ask('undo')]).toEqual(['partial', 'partial']);
    await install.undo(host, input(), receipt);
    expect(await freeze()).toEqual(before);
    expect([await ask('do'), await ask('undo')]).toEqual(['not-applied', 'applied']);
  });

  it('[I5] the probe sees a finished installation', async () => {
    const receipt = await doIt();
    const ask = (direction: 'do' | 'undo') => install.probe(host, input(), { direction, receipt });
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);
  });

  it('changes nothing when the version is not to be had', async () => {
    const before = await freeze();
    const change = { requirement: 'demo-miner==7.0' };
    expect(await codeOf(install.run(host, input(change), {}))).toBe('SB-ACT-COMMAND-FAILED');
    expect(await freeze()).toEqual(before);
  });

  it('[T20] wants the environment that the unit runs from', async () => {
    const units = await new StandInUnits(host).install();
    const runs = (path: string) => ({ ExecStart: `{ path=${path} ; argv[]=${path} start ; ignore_errors=no }` });
    await units.add('miner.service', runs(`${venv}/bin/demo-miner`));
    expect((await install.check(host, input({ unit: 'miner.service' }))).problems).toEqual([]);
    await units.add('miner.service', runs('/home/miner/.local/bin/demo-miner'));
    const { problems } = await install.check(host, input({ unit: 'miner.service' }));
    expect(problems.map((p) => p.code)).toEqual(['SB-ACT-VENV-MISMATCH']);
  });
});
