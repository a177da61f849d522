import type { JsonObject } from '@signalbox/protocol';
import { codeOf } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionNamed, StandInNode, UNIT } from './stand-in-node.ts';

const restore = actionNamed('remesd.restore');

let node: StandInNode;
let saved: string;
beforeEach(async () => {
  node = await StandInNode.create();
  const backup = actionNamed('remesd.backup');
  const where = { home: node.home, unit: UNIT };
  const { before } = await backup.check(node.host, where);
  saved = String((await backup.run(node.host, where, before)).path);
  await node.runNewRelease(1_250);
});
afterEach(() => node[Symbol.asyncDispose]());

const input = () => ({ home: node.home, unit: UNIT, backup: saved });

async function doRestore(): Promise<JsonObject> {
  const host = node.host.as('run-2-restore-do-1');
  const { before, problems } = await restore.check(host, input());
  expect(problems).toEqual([]);
  return { ...before, ...(await restore.run(host, input(), before)) };
}

describe('remesd.restore', () => {
  it('[T05] restores, keeps the newer signing state, and undo brings the other data back with the newest', async () => {
    const receipt = await doRestore();
    expect(await node.tables()).toBe('old tables');
    expect((await node.signed()).height).toBe('1250');
    await node.sign(1_260);
    await restore.undo(node.host.as('run-2-restore-undo-1'), input(), receipt);
    expect(await node.tables()).toContain('cannot read');
    expect((await node.signed()).height).toBe('1260');
  });

  it('names to whoever takes it back days later the blocks that came on the restored data', async () => {
    const receipt = await doRestore();
    await node.sign(1_260);
    expect(await restore.loses(node.host, input(), receipt)).toEqual([expect.stringMatching(/^blocks 1251 to 1260,/)]);
    const { before } = await restore.check(node.host, input());
    expect(await restore.loses(node.host, input(), before)).toEqual([]);
  });

  it('undo does nothing when nothing was restored', async () => {
    const { before } = await restore.check(node.host, input());
    expect(await restore.undo(node.host, input(), before)).toEqual({ restored: false });
  });

  it('[I5] the probe tells done from not done in both directions', async () => {
    const { before } = await restore.check(node.host.as('run-2-restore-do-1'), input());
    expect(await restore.probe(node.host, input(), { direction: 'do', receipt: before })).toBe('not-applied');
    expect(await restore.probe(node.host, input(), { direction: 'undo', receipt: before })).toBe('applied');
    await doRestore();
    expect(await restore.probe(node.host, input(), { direction: 'do', receipt: before })).toBe('applied');
    expect(await restore.probe(node.host, input(), { direction: 'undo', receipt: before })).toBe('not-applied');
  });

  it('[T03] is for the home that the unit names', async () => {
    await node.unit({}, '/somewhere/else');
    const { problems } = await restore.check(node.host, input());
    expect(problems.map((p) => p.code)).toEqual(['SB-ACT-HOME-MISMATCH']);
  });

  it('refuses a folder that is no backup', async () => {
    const wrong = { ...input(), backup: node.home };
    expect((await restore.check(node.host, wrong)).problems.map((p) => p.code)).toEqual(['SB-ACT-BACKUP-DAMAGED']);
    const { before } = await restore.check(node.host, input());
    expect(await codeOf(restore.run(node.host, wrong, before))).toBe('SB-ACT-BACKUP-DAMAGED');
  });
});
