import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action } from '../contract.ts';

const build = actionByName.get('npm.build') as Required<Action>;
const swap = actionByName.get('file.swap') as Required<Action>;

let host: LocalHost;
let folder: string;
beforeEach(async () => {
  host = await LocalHost.create();
  folder = host.file('app');
  await host.write('app/package.json', '{"name":"app","version":"1.0.0","scripts":{"build":"sh build.sh"}}');
  await host.write('app/package-lock.json', '{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{}}');
  await host.write('app/build.sh', 'echo "$NEXT_PUBLIC_API_URL" > out');
});
afterEach(() => host[Symbol.asyncDispose]());

const input = (change: JsonObject = {}): JsonObject => ({
  folder,
  script: 'build',
  environment: {},
  skip: [],
  ...change,
});

describe('npm.build', () => {
  it('builds in a copy with the given variables, by the real npm; what runs is not touched, and undo leaves nothing', async () => {
    const given = input({ environment: { NEXT_PUBLIC_API_URL: 'https://new' } });
    const { before, problems } = await build.check(host, given);
    expect(problems).toEqual([]);
    const files = await readdir(folder);
    const receipt = { ...before, ...(await build.run(host, given, before)) };
    expect(await readFile(`${receipt.folder}/out`, 'utf8')).toBe('https://new\n');
    expect(await readdir(folder)).toEqual(files);
    expect(await build.probe(host, given, { direction: 'do', receipt })).toBe('applied');
    await rm(`${receipt.folder}/.signalbox-built`);
    expect(await build.probe(host, given, { direction: 'do', receipt })).toBe('partial');
    await build.undo(host, given, receipt);
    await build.undo(host, given, receipt);
    expect(await readdir(host.dir)).not.toContain(`app.signalbox-${host.executionId}`);
    expect(await codeOf(build.undo(host, given, { own: { into: folder } }))).toBe('SB-ACT-NO-RECEIPT');
  });

  it('[T20] refuses what could be built into something else each time', async () => {
    await rm(`${folder}/package-lock.json`);
    const { problems } = await build.check(host, input({ script: 'deploy' }));
    expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringMatching(/^SB-ACT-NPM-PROJECT .* no script deploy/),
      expect.stringMatching(/^SB-ACT-NPM-PROJECT .* no package-lock/),
    ]);
  });
});

describe('file.swap', () => {
  it('puts one folder in the place of another and back, also from the moment between the two renames', async () => {
    const source = host.file('fresh');
    await mkdir(source);
    const given = { folder, source };
    const { before, problems } = await swap.check(host, given);
    expect(problems).toEqual([]);
    await swap.run(host, given, before);
    await swap.run(host, given, before);
    expect(await readdir(folder)).toEqual([]);
    expect(await swap.probe(host, given, { direction: 'do', receipt: before })).toBe('applied');
    await rm(folder, { recursive: true });
    expect(await swap.probe(host, given, { direction: 'do', receipt: before })).toBe('partial');
    await swap.undo(host, given, before);
    expect(await readdir(folder)).toContain('package.json');
    expect(await swap.probe(host, given, { direction: 'undo', receipt: before })).toBe('applied');
    await swap.undo(host, given, before);
  });

  it('touches nothing when the folder is another one than was checked', async () => {
    const source = host.file('fresh');
    await mkdir(source);
    const { before } = await swap.check(host, { folder, source });
    const other = { ...before, old: '0:0' };
    expect(await codeOf(swap.run(host, { folder, source }, other))).toBe('SB-ACT-CHANGED-MEANWHILE');
    expect(await swap.probe(host, { folder, source }, { direction: 'do', receipt: other })).toBe('cannot-tell');
    expect(await readdir(folder)).toContain('package.json');
  });
});
