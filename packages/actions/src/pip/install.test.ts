import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

  it.skipIf(process.getuid?.() !== 0)(
    '[T20] runs pip as the owner of the environment, who can read what it is to install',
    async () => {
      const venv = host.file('venv');
      await mkdir(join(venv, 'bin'), { recursive: true });
      const pip = `#!/bin/sh
cd ${venv}
echo "$(id -u) $1" >> ran
case "$1" in
  install) for last; do :; done; if [ -f "$last" ]; then cat "$last" > frozen; else echo "$last" > frozen; fi;;
  freeze) cat frozen;;
esac
`;
      await writeFile(join(venv, 'bin', 'pip'), pip, { mode: 0o755 });
      await writeFile(join(venv, 'frozen'), 'demo-miner==0.9.0\n');
      await host.exec(['chmod', '755', host.dir]);
      await host.exec(['chown', '-R', '65534:65534', venv]);
      const { before } = await install.check(host, input({ venv }));
      await install.run(host, input({ venv }), before);
      expect(await install.undo(host, input({ venv }), before)).toEqual({ restored: true });
      const ran = (await readFile(join(venv, 'ran'), 'utf8')).trim().split('\n');
      expect(new Set(ran.map((line) => line.split(' ')[0]))).toEqual(new Set(['65534']));
      expect(ran.filter((line) => line.endsWith('install'))).toHaveLength(2);
    },
  );

  it('compares names as pip does', () => {
    expect(nameOf('Demo_Miner==1.0')).toBe('demo-miner');
    expect(nameOf('demo.miner @ file:///x.whl')).toBe('demo-miner');
    expect(nameOf('-e git+https://host/x#egg=demo_miner')).toBe('demo-miner');
    expect(holdsPin(['Demo_Miner==1.0.0'], 'demo-miner[gpu]==1.0.0')).toBe(true);
    expect(holdsPin(['demo-miner==1.0.0.1'], 'demo-miner==1.0.0')).toBe(false);
  });
});
