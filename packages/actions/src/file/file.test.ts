import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { commandByHand, type JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

let host: LocalHost;
let target: string;
let source: string;

beforeEach(async () => {
  host = await LocalHost.create();
  target = await host.write('etc/app.conf', 'old\n', 0o640);
  source = await host.write('new/app.conf', 'new\n');
});
afterEach(() => host[Symbol.asyncDispose]());

function action(name: string): Required<Action> {
  return actionByName.get(name) as Required<Action>;
}

async function doIt(name: string, input: JsonObject): Promise<JsonObject> {
  const { before } = await action(name).check(host, input);
  return { ...before, ...(await action(name).run(host, input, before)) };
}
const undo = (name: string, input: JsonObject, receipt: JsonObject) =>
  action(name).undo(host.as('run-1-step-undo-1'), input, receipt);
const text = () => readFile(target, 'utf8');

/** As somebody types it who reads what is left of a failed way back. */
async function byHand(name: string, input: JsonObject, receipt: JsonObject) {
  const command = commandByHand(action(name).byHand ?? '', input, receipt);
  return command === undefined ? undefined : (await host.exec(['sh', '-c', command])).exitCode;
}

describe('what is typed by hand', () => {
  it('puts an installed file back, unless the one that was kept is not the old one', async () => {
    const receipt = await doIt('file.install', { source, target });
    expect(await byHand('file.install', { source, target }, receipt)).toBe(0);
    expect([await text(), (await stat(target)).mode & 0o777]).toEqual(['old\n', 0o640]);
    const again = await doIt('file.install', { source, target });
    const { kept } = again.own as { kept: string };
    await writeFile(kept, 'something else');
    expect(await byHand('file.install', { source, target }, again)).not.toBe(0);
    expect(await text()).toBe('new\n');
  });

  it('is nothing where there was no file', async () => {
    const fresh = host.file('etc/other.conf');
    const receipt = await doIt('file.install', { source, target: fresh });
    expect(await byHand('file.install', { source, target: fresh }, receipt)).toBeUndefined();
  });

  it('puts a backup back', async () => {
    const receipt = await doIt('file.backup', { path: target });
    await writeFile(target, 'spoiled');
    expect(await byHand('file.backup', { path: target }, receipt)).toBe(0);
    expect(await text()).toBe('old\n');
  });
});

describe('file.install', () => {
  it('replaces the file with the mode of the old one, and undo puts that one back', async () => {
    const receipt = await doIt('file.install', { source, target });
    expect(await text()).toBe('new\n');
    expect((await stat(target)).mode & 0o777).toBe(0o640);
    expect(await undo('file.install', { source, target }, receipt)).toEqual({ restored: true });
    expect(await text()).toBe('old\n');
    expect(await readdir(host.file('etc'))).toEqual(['app.conf']);
  });

  it('takes another mode when told to', async () => {
    await doIt('file.install', { source, target, mode: '0600' });
    expect((await stat(target)).mode & 0o777).toBe(0o600);
  });

  it('installs a new file, and undo sets it aside', async () => {
    const fresh = { source, target: host.file('etc', 'fresh.conf') };
    const receipt = await doIt('file.install', fresh);
    await undo('file.install', fresh, receipt);
    expect((await readdir(host.file('etc'))).sort()).toEqual(['app.conf', 'fresh.conf.signalbox-run-1-step-do-1']);
  });

  it('installs what was checked, not what lies there later', async () => {
    const { before } = await action('file.install').check(host, { source, target });
    await writeFile(source, 'swapped\n');
    expect(await codeOf(action('file.install').run(host, { source, target }, before))).toBe('SB-ACT-CHECKSUM');
    expect(await text()).toBe('old\n');
    expect(await readdir(host.file('etc'))).toEqual(['app.conf']);
  });

  it('says at plan time that there is no folder for it', async () => {
    const nowhere = { source, target: host.file('nowhere', 'app.conf') };
    expect((await action('file.install').check(host, nowhere)).problems.map((p) => p.code)).toEqual(['SB-ACT-FILE']);
  });

  it('follows no link, neither to the source nor to the target', async () => {
    const link = host.file('etc', 'link.conf');
    await symlink(target, link);
    for (const input of [
      { source, target: link },
      { source: link, target },
    ]) {
      expect((await action('file.install').check(host, input)).problems.map((p) => p.code)).toEqual(['SB-ACT-SYMLINK']);
    }
  });

  it('a second attempt goes on where the first one stopped', async () => {
    const { before } = await action('file.install').check(host, { source, target });
    await action('file.install').run(host, { source, target }, before);
    expect(await action('file.install').run(host.as('run-1-step-do-2'), { source, target }, before)).toEqual({});
    expect(await undo('file.install', { source, target }, before)).toEqual({ restored: true });
  });

  it('takes paths only whole and without detours', () => {
    for (const path of ['etc/x', '/etc/../x', '/etc/./x', '/etc/..']) {
      expect(action('file.install').schema.safeParse({ source: path, target }).success, path).toBe(false);
    }
    expect(action('file.install').schema.safeParse({ source: '/etc/..x/.y', target }).success).toBe(true);
  });

  it('without a receipt, undo only says what the host shows', async () => {
    expect(await undo('file.install', { source, target }, {})).toEqual({ restored: false });
    await writeFile(target, 'new\n');
    expect(await codeOf(undo('file.install', { source, target }, {}))).toBe('SB-ACT-NO-RECEIPT');
  });
});

describe('file.backup', () => {
  it('undo restores content and mode when the file changed since, and nothing when it did not', async () => {
    const receipt = await doIt('file.backup', { path: target });
    expect(await undo('file.backup', { path: target }, receipt)).toEqual({ restored: false });
    await writeFile(target, 'edited\n');
    await chmod(target, 0o666);
    expect(await undo('file.backup', { path: target }, receipt)).toEqual({ restored: true });
    expect(await text()).toBe('old\n');
    expect((await stat(target)).mode & 0o777).toBe(0o640);
    expect(await readFile(String(receipt.backup), 'utf8')).toBe('old\n');
  });

  it('puts no damaged copy back', async () => {
    const receipt = await doIt('file.backup', { path: target });
    await writeFile(target, 'edited\n');
    await writeFile(String(receipt.backup), 'damaged\n');
    expect(await codeOf(undo('file.backup', { path: target }, receipt))).toBe('SB-ACT-KEPT-DAMAGED');
    expect(await text()).toBe('edited\n');
  });

  it('is nothing to undo when no copy was finished', async () => {
    const { before } = await action('file.backup').check(host, { path: target });
    await writeFile(target, 'edited\n');
    expect(await undo('file.backup', { path: target }, before)).toEqual({ restored: false });
    expect(await text()).toBe('edited\n');
  });

  it('[I5] the probe goes by checksum', async () => {
    const { before } = await action('file.backup').check(host, { path: target });
    const ask = (direction: 'do' | 'undo') =>
      action('file.backup').probe(host, { path: target }, { direction, receipt: before });
    expect([await ask('do'), await ask('undo')]).toEqual(['not-applied', 'applied']);
    await action('file.backup').run(host, { path: target }, before);
    await writeFile(target, 'edited\n');
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);
  });
});
