import { readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256File } from '../support/files.ts';
import { actionNamed, StandInNode, UNIT } from './stand-in-node.ts';

const install = actionNamed('remesd.install');
const program = (version: string) => `#!/bin/sh\necho ${version}\n`;

let node: StandInNode;
let target: string;
let input: { unit: string; source: string; sha256: string; version: string };

beforeEach(async () => {
  node = await StandInNode.create();
  target = await node.host.write('opt/remesd', program('v0.9.1'), 0o755);
  const source = await node.host.write('new/remesd', program('v1.0.0'), 0o755);
  input = { unit: UNIT, source, sha256: await sha256File(source), version: '1.0.0' };
});
afterEach(() => node[Symbol.asyncDispose]());

async function doInstall(): Promise<JsonObject> {
  const { before } = await install.check(node.host, input);
  return { ...before, ...(await install.run(node.host, input, before)) };
}
const undo = (receipt: JsonObject) => install.undo(node.host.as('run-1-install-undo-1'), input, receipt);
const problems = async (change: object) =>
  (await install.check(node.host, { ...input, ...change })).problems.map((p) => p.code);

describe('remesd.install', () => {
  it('[T09] goes where the unit starts it, not where PATH finds one', async () => {
    await node.host.program('remesd', 'echo v0.5.0');
    expect((await install.check(node.host, input)).note).toBe('v0.9.1 -> 1.0.0');
    await doInstall();
    expect(await readFile(target, 'utf8')).toBe(program('v1.0.0'));
    expect((await stat(target)).mode & 0o777).toBe(0o755);
    expect((await readdir(node.host.file('opt'))).sort()).toEqual(['remesd', `remesd.signalbox-run-1-step-do-1`]);
  });

  it('[T09] keeps the old binary and puts it back by rename', async () => {
    const { ino } = await stat(target);
    const receipt = await doInstall();
    expect((await stat(target)).ino).not.toBe(ino);
    expect(await undo(receipt)).toEqual({ restored: true });
    expect((await stat(target)).ino).toBe(ino);
    expect(await undo(receipt)).toEqual({ restored: false });
    expect(await readdir(node.host.file('opt'))).toEqual(['remesd']);
  });

  it('[T09] does not install another file than was published, nor run it to ask', async () => {
    const source = await node.host.write('new/other', `#!/bin/sh\ntouch ${node.host.file('was-run')}\n`, 0o755);
    expect(await problems({ source })).toEqual(['SB-ACT-CHECKSUM']);
    const { before } = await install.check(node.host, input);
    expect(await codeOf(install.run(node.host, { ...input, source }, before))).toBe('SB-ACT-CHECKSUM');
    expect(await readdir(node.host.dir)).not.toContain('was-run');
    expect(await readdir(node.host.file('opt'))).toEqual(['remesd']);
  });

  it.each([['1.0.1'], ['11.0.0'], ['1.0'], ['1.0.0-rc1']])('[T09] 1.0.0 is not version %s', async (version) => {
    expect(await problems({ version })).toEqual(['SB-ACT-VERSION']);
  });

  it('[T09] asks the copy for its version before it takes the place of the old one', async () => {
    const { before } = await install.check(node.host, input);
    const { ino } = await stat(target);
    expect(await codeOf(install.run(node.host, { ...input, version: '1.0.1' }, before))).toBe('SB-ACT-VERSION');
    expect((await stat(target)).ino).toBe(ino);
    expect(await readdir(node.host.file('opt'))).toEqual(['remesd']);
  });

  it('[T02] finds the version behind what start-up validation prints', async () => {
    await node.host.write('opt/remesd', '#!/bin/sh\necho configuration validated: 1.0.0 rules\necho v0.9.1\n', 0o755);
    expect((await install.check(node.host, input)).note).toBe('v0.9.1 -> 1.0.0');
  });

  it('says at plan time what is missing on the node', async () => {
    expect(await problems({ source: '/nowhere/remesd' })).toEqual(['SB-ACT-SOURCE-MISSING']);
    expect(await problems({ unit: 'other.service' })).toEqual(['SB-ACT-UNIT-MISSING']);
  });

  it('replaces no binary under a running node, in either direction', async () => {
    const receipt = await doInstall();
    await node.unit({ ActiveState: 'active', MainPID: 77 });
    expect(await codeOf(undo(receipt))).toBe('SB-ACT-UNIT-ACTIVE');
    await writeFile(target, program('v0.9.1'));
    expect(await codeOf(doInstall())).toBe('SB-ACT-UNIT-ACTIVE');
  });

  it('does not replace a link', async () => {
    await rename(target, `${target}-0.9.1`);
    await symlink(`${target}-0.9.1`, target);
    expect(await problems({})).toEqual(['SB-ACT-SYMLINK']);
  });

  it('takes nothing back that somebody else changed', async () => {
    const receipt = await doInstall();
    await writeFile(target, program('v2.0.0'));
    expect(await codeOf(undo(receipt))).toBe('SB-ACT-CHANGED-MEANWHILE');
    expect(await readFile(target, 'utf8')).toBe(program('v2.0.0'));
  });

  it('puts nothing back that is not the old binary', async () => {
    const receipt = await doInstall();
    await writeFile(`${target}.signalbox-run-1-step-do-1`, 'damaged');
    expect(await codeOf(undo(receipt))).toBe('SB-ACT-KEPT-DAMAGED');
    expect(await readFile(target, 'utf8')).toBe(program('v1.0.0'));
  });

  it('[I5] the probe goes by checksum', async () => {
    const { before } = await install.check(node.host, input);
    const ask = (direction: 'do' | 'undo') => install.probe(node.host, input, { direction, receipt: before });
    expect([await ask('do'), await ask('undo')]).toEqual(['not-applied', 'applied']);
    await doInstall();
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);
    await writeFile(target, 'neither');
    expect([await ask('do'), await ask('undo')]).toEqual(['cannot-tell', 'cannot-tell']);
  });
});
