import { readdir, readFile } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost, StandInUnits } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

const dropIn = actionByName.get('systemd.dropIn') as Required<Action>;
let host: LocalHost;
let units: StandInUnits;
let input: JsonObject;
beforeEach(async () => {
  host = await LocalHost.create();
  units = await new StandInUnits(host).install();
  await units.add('m.service', { Environment: 'A=1' });
  input = dropIn.schema.parse({ unit: 'm.service', environment: { A: '1' }, folder: host.dir }) as JsonObject;
});
afterEach(() => host[Symbol.asyncDispose]());

const reloads = () => host.started.filter(([, verb]) => verb === 'daemon-reload').length;

describe('systemd.dropIn', () => {
  it('[T10] writes the file, has systemd read it, and undo leaves no drop-in behind', async () => {
    // `systemctl daemon-reload` names no unit, which the stand-in wants.
    await host.write('units/daemon-reload', '');
    const { before } = await dropIn.check(host, input);
    const receipt = { ...before, ...(await dropIn.run(host, input, before)) };
    expect(await readFile(host.file('m.service.d', '50-signalbox.conf'), 'utf8')).toBe(
      '[Service]\nEnvironment="A=1"\n',
    );
    expect(reloads()).toBe(1);
    expect(await dropIn.undo(host, input, receipt)).toEqual({ restored: true });
    expect((await readdir(host.file('m.service.d'))).filter((name) => name.endsWith('.conf'))).toEqual([]);
    expect(reloads()).toBe(2);
  });

  it('[T10] is not done as long as systemd shows something else', async () => {
    await host.write('units/daemon-reload', '');
    await units.add('m.service', { Environment: 'A=2' });
    const { before } = await dropIn.check(host, input);
    expect(await codeOf(dropIn.run(host, input, before))).toBe('SB-ACT-DROP-IN');
    expect(await dropIn.probe(host, input, { direction: 'do', receipt: before })).toBe('partial');
  });

  it('[I9] takes no text that would be more than one variable', () => {
    for (const value of ['a"b', 'a\nExecStart=/bin/x', '%h', 'a\\']) {
      expect(dropIn.schema.safeParse({ unit: 'm.service', environment: { A: value } }).success, value).toBe(false);
    }
    expect(dropIn.schema.safeParse({ unit: 'm.service' }).success).toBe(false);
  });
});
