import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { commandByHand, type JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

const checkout = actionByName.get('git.checkout') as Required<Action>;
let host: LocalHost;
let folder: string;
let commits: string[];

beforeEach(async () => {
  host = await LocalHost.create();
  const origin = host.file('origin');
  await mkdir(origin);
  await git(origin, 'init', '--quiet', '--initial-branch=main');
  commits = [];
  for (const version of ['v0.8.0', 'v0.9.0', 'v1.0.0']) {
    await writeFile(`${origin}/VERSION`, version);
    await git(origin, 'add', '.');
    await git(origin, 'commit', '--quiet', '-m', version);
    await git(origin, 'tag', version);
    commits.push(await git(origin, 'rev-parse', 'HEAD'));
  }
  folder = host.file('code');
  await git(host.dir, 'clone', '--quiet', 'origin', 'code');
  await git(folder, 'reset', '--quiet', '--hard', 'v0.9.0');
});
afterEach(() => host[Symbol.asyncDispose]());

/** As a person types it. */
async function git(cwd: string, ...words: string[]): Promise<string> {
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@x', '-c', 'safe.directory=*'];
  const { exitCode, stdout, stderr } = await host.exec(['git', ...who, ...words], { cwd });
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
}
const version = () => readFile(`${folder}/VERSION`, 'utf8');
const input = (change: JsonObject = {}): JsonObject => ({ folder, revision: 'v1.0.0', ...change });
async function doIt(change: JsonObject = {}): Promise<JsonObject> {
  const { before, problems } = await checkout.check(host, input(change));
  expect(problems).toEqual([]);
  return { ...before, ...(await checkout.run(host, input(change), before)) };
}

describe('git.checkout', () => {
  it('is taken back by what it says is typed by hand', async () => {
    const receipt = await doIt();
    const command = commandByHand(checkout.byHand ?? '', input(), receipt) ?? '';
    expect((await host.exec(['sh', '-c', command])).exitCode).toBe(0);
    expect(await version()).toBe('v0.9.0');
  });

  it('[T21] goes to an exact revision, and back to the commit and the branch that were there', async () => {
    const receipt = await doIt();
    expect([await version(), receipt]).toEqual(['v1.0.0', { commit: commits[1], branch: 'main', target: commits[2] }]);
    expect(await checkout.undo(host, input(), receipt)).toEqual({ restored: true });
    expect([await version(), await git(folder, 'symbolic-ref', '--short', 'HEAD')]).toEqual(['v0.9.0', 'main']);
    expect(await checkout.undo(host, input(), receipt)).toEqual({ restored: false });
  });

  it('[T21] the guide’s `git pull origin main` brings what nobody has named; a branch is refused', async () => {
    await writeFile(host.file('origin', 'VERSION'), 'not released');
    await git(host.file('origin'), 'commit', '--quiet', '-am', 'work in progress');
    for (const revision of ['main', 'origin/main']) {
      const { problems } = await checkout.check(host, input({ revision }));
      expect(
        problems.map(({ code }) => code),
        revision,
      ).toEqual(['SB-ACT-GIT-REVISION']);
    }
    await git(folder, 'pull', '--quiet', 'origin', 'main');
    expect(await version()).toBe('not released');
    const receipt = await doIt();
    expect(await version()).toBe('v1.0.0');
    await checkout.undo(host, input(), receipt);
    expect(await version()).toBe('not released');
  });

  it('[T21] touches no working tree that was changed by hand: a forced checkout loses it', async () => {
    await writeFile(`${folder}/VERSION`, 'mended at night');
    const { problems, before } = await checkout.check(host, input());
    expect(problems).toMatchObject([{ code: 'SB-ACT-GIT-DIRTY', message: expect.stringContaining('VERSION') }]);
    expect(await codeOf(checkout.run(host, input(), before))).toBe('SB-ACT-GIT-DIRTY');
    expect(await version()).toBe('mended at night');
    await git(folder, 'checkout', '--force', '--quiet', 'v1.0.0');
    expect(await version()).toBe('v1.0.0');
  });

  it('fetches what is not there yet, when it is told from where', async () => {
    await writeFile(host.file('origin', 'VERSION'), 'v1.0.1');
    await git(host.file('origin'), 'commit', '--quiet', '-am', 'v1.0.1');
    await git(host.file('origin'), 'tag', 'v1.0.1');
    const { problems } = await checkout.check(host, input({ revision: 'v1.0.1' }));
    expect(problems.map(({ code }) => code)).toEqual(['SB-ACT-GIT-REVISION']);
    await doIt({ revision: 'v1.0.1', remote: 'origin' });
    expect(await version()).toBe('v1.0.1');
  });

  it('goes back to the commit, not to a branch that somebody has moved', async () => {
    const receipt = await doIt();
    await git(folder, 'branch', '--force', 'main', 'v0.8.0');
    await checkout.undo(host, input(), receipt);
    expect(await version()).toBe('v0.9.0');
  });

  it('says to whoever takes it back days later that a later release would go', async () => {
    const receipt = await doIt();
    await git(folder, 'tag', '--force', 'v1.0.0', 'v0.8.0');
    expect(await checkout.loses(host, input(), receipt)).toEqual([]);
    await git(folder, 'checkout', '--quiet', 'v0.8.0');
    const later = `${folder} is at ${commits[0]?.slice(0, 8)}, which was checked out later`;
    expect(await checkout.loses(host, input(), receipt)).toEqual([later]);
    await git(folder, 'checkout', '--quiet', 'v0.9.0');
    expect(await checkout.loses(host, input(), receipt)).toEqual([]);
  });

  it('[T21] says to whoever takes it back days later that files were changed by hand, before anything is begun', async () => {
    const receipt = await doIt();
    expect(await checkout.hinders(host, input(), receipt)).toEqual([]);
    await writeFile(`${folder}/VERSION`, 'mended since');
    expect(await checkout.hinders(host, input(), receipt)).toMatchObject([
      { code: 'SB-ACT-GIT-DIRTY', message: expect.stringContaining('VERSION') },
    ]);
  });

  it('knows after a crash how far it came', async () => {
    const { before } = await checkout.check(host, input());
    const ask = (direction: 'do' | 'undo') => checkout.probe(host, input(), { direction, receipt: before });
    expect([await ask('do'), await ask('undo')]).toEqual(['not-applied', 'applied']);
    await checkout.run(host, input(), before);
    expect([await ask('do'), await ask('undo')]).toEqual(['applied', 'not-applied']);
    await writeFile(`${folder}/VERSION`, 'half');
    expect(await ask('undo')).toBe('partial');
  });

  it.skipIf(process.getuid?.() !== 0)('runs as the owner of the code, and runs none of its hooks', async () => {
    await writeFile(`${folder}/.git/hooks/post-checkout`, `#!/bin/sh\ntouch ${host.file('hooked')}\n`, { mode: 0o755 });
    await host.exec(['chmod', '755', host.dir]);
    await host.exec(['chown', '-R', '65534:65534', folder]);
    await chown(host.file('origin'), 65534, 65534);
    await doIt();
    expect((await stat(`${folder}/VERSION`)).uid).toBe(65534);
    await expect(stat(host.file('hooked'))).rejects.toThrow(/ENOENT/);
  });
});
