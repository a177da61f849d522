import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost, requireReal } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

const build = actionByName.get('go.build') as Required<Action>;
const hasGo = requireReal('Go', spawnSync('go', ['version']).status === 0);
const NOBODY = 65_534;

let host: LocalHost;
let folder: string;
beforeEach(async () => {
  host = await LocalHost.create();
  folder = host.file('remes');
  await host.write('remes/go.mod', 'module r3mes.test/remes\n\ngo 1.19\n');
  await host.write(
    'remes/cmd/remesd/main.go',
    'package main\n\nvar Version = "none"\n\nfunc main() { println(Version) }\n',
  );
  const git = (...words: string[]) => execFileSync('git', ['-C', folder, ...words]);
  git('init', '--quiet');
  git('add', '.');
  git('-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '--quiet', '--message', 'one');
  git('tag', 'v1.4.0');
});
afterEach(() => host[Symbol.asyncDispose]());

const input = (change: JsonObject = {}): JsonObject => ({
  folder,
  revision: 'v1.4.0',
  package: './cmd/remesd',
  output: host.file('remesd-1.4.0'),
  variables: { 'main.Version': '1.4.0' },
  ...change,
});
const codes = async (given: JsonObject) => (await build.check(host, given)).problems?.map(({ code }) => code);

describe.runIf(hasGo)('go.build', () => {
  it('[T09] builds to the path that is named, by the real go as the owner of the code; undo leaves nothing', async () => {
    // What the tree holds belongs to somebody who may write nowhere else; root builds nothing that is not root's.
    if (process.geteuid?.() === 0) execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, folder]);
    await chmod(host.dir, 0o755);
    const given = input();
    const { before, problems } = await build.check(host, given);
    expect(problems).toEqual([]);
    expect(await build.probe(host, given, { direction: 'do', receipt: before ?? {} })).toBe('not-applied');
    const receipt = { ...before, ...(await build.run(host, given, before ?? {})) };
    expect(spawnSync(host.file('remesd-1.4.0')).stderr.toString()).toBe('1.4.0\n');
    expect(await build.probe(host, given, { direction: 'do', receipt })).toBe('applied');
    expect((await readdir(host.dir)).filter((name) => name.includes('signalbox'))).toEqual([]);
    await build.undo(host, given, receipt);
    await build.undo(host, given, receipt);
    expect(existsSync(host.file('remesd-1.4.0'))).toBe(false);

    await writeFile(host.file('remesd-1.4.0'), 'of somebody else');
    expect(await codeOf(build.undo(host, given, receipt))).toBe('SB-ACT-CHECKSUM');
  });

  it('refuses a tree that was edited or stands elsewhere, a file that is there, and a folder that is no module', async () => {
    await writeFile(host.file('remesd-1.4.0'), '');
    await writeFile(join(folder, 'cmd/remesd/main.go'), 'package main\n\nfunc main() {}\n');
    expect(await codes(input({ revision: 'v9' }))).toEqual([
      'SB-ACT-OUTPUT-EXISTS',
      'SB-ACT-GIT-DIRTY',
      'SB-ACT-GIT-REVISION',
    ]);
    expect(await codeOf(build.run(host, input(), {}))).toBe('SB-ACT-GIT-DIRTY');
    execFileSync('git', ['-C', folder, 'rm', '--quiet', '--force', 'go.mod']);
    expect(await codes(input({ go: '/nowhere/go' }))).toEqual(
      expect.arrayContaining(['SB-ACT-PROGRAM-MISSING', 'SB-ACT-GO-MODULE']),
    );
  });
});
