import type { Applied, Failure, JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { type Action, defineAction } from '../contract.ts';
import { earlierUndo } from './undo.ts';

let host: LocalHost;
let state: Applied;
let lost: string[];
let hindered: Failure[];
let undone: JsonObject[];
beforeEach(async () => {
  host = await LocalHost.create();
  [state, lost, hindered, undone] = ['not-applied', [], [], []];
  return () => host[Symbol.asyncDispose]();
});

const release = defineAction<{ name: string }>({
  name: 'release.put',
  version: 2,
  summary: 'Stands for any action with a way back.',
  schema: z.strictObject({ name: z.string() }),
  effect: 'reversible',
  does: 'release {name}',
  touches: [],
  timeoutMs: 1_000,
  check: async () => ({ before: {}, problems: [] }),
  run: async () => ({}),
  undo: async (_context, { name }, receipt) => {
    undone.push({ name, receipt });
    return { restored: true };
  },
  loses: async () => lost,
  hinders: async () => hindered,
  probe: async () => state,
});
const { undo: _none, ...withoutWayBack } = release;
const actions = new Map<string, Action>([
  ['release.put', release],
  ['release.forget', withoutWayBack],
]);
const earlier = earlierUndo((name) => actions.get(name));
const input = (change: JsonObject = {}): JsonObject => ({
  ...{ action: 'release.put', version: 2, with: { name: 'v1' }, receipt: { kept: 'v0' }, acceptLoss: false },
  ...change,
});
const problems = async (change?: JsonObject) =>
  (await earlier.check(host, input(change))).problems.map(({ code, message }) => `${code}: ${message}`);

describe('earlier.undo', () => {
  it('does what the action does to take its step back, with what was given and returned then', async () => {
    expect(await problems()).toEqual([]);
    expect(await earlier.run(host, input(), {})).toEqual({ restored: true });
    expect(undone).toEqual([{ name: 'v1', receipt: { kept: 'v0' } }]);
  });

  it('names what was written since, and goes on only where somebody has said that it may be lost', async () => {
    lost = ['3 users', 'v2, which was checked out later'];
    expect(await problems()).toEqual([
      'SB-ACT-WRITTEN-SINCE: taking release.put back loses what was written since: 3 users; v2, which was checked out later',
    ]);
    expect(await problems({ acceptLoss: true })).toEqual([]);
    expect((await earlier.check(host, input({ acceptLoss: true }))).note).toContain('3 users');
  });

  it('is refused where somebody has changed what the step made, also when losses are accepted', async () => {
    state = 'cannot-tell';
    const changed = 'SB-ACT-CHANGED-MEANWHILE: release.put: somebody has changed what it made since';
    expect(await problems({ acceptLoss: true })).toEqual([changed]);
  });

  it('is not begun where it would fail, also when losses are accepted', async () => {
    hindered = [actionError('SB-ACT-GIT-DIRTY', '1 file was changed by hand').failure];
    expect(await problems({ acceptLoss: true })).toEqual(['SB-ACT-GIT-DIRTY: 1 file was changed by hand']);
  });

  it('has nothing to do, and nothing to lose, where everything is as it was before', async () => {
    [state, lost] = ['applied', ['3 users']];
    expect(await earlier.check(host, input())).toMatchObject({ note: 'as it was before already', problems: [] });
  });

  it('is refused where the receipt may mean something else, and where there is no way back', async () => {
    expect(await codeOf(earlier.check(host, input({ version: 1 })))).toBe('SB-ACT-VERSION');
    expect(await codeOf(earlier.check(host, input({ action: 'release.forget' })))).toBe('SB-ACT-NO-RECEIPT');
    expect(await codeOf(earlier.check(host, input({ action: 'release.none' })))).toBe('SB-ACT-NO-RECEIPT');
  });
});
