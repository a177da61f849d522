import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canRunCutover, FastDataWorld, NEW_SECRET, OLD_SECRET } from './fast-data-world.ts';
import {
  BOTH,
  countPart,
  goesOn,
  loadParts,
  PARTS,
  partitioned,
  partMirrors,
  transactionAcrossParts,
} from './parts.ts';

let world: FastDataWorld;
beforeAll(async () => {
  if (!canRunCutover) return;
  world = await FastDataWorld.start({ runbook: 'mongodb-cutover-partitioned', mirrors: partMirrors });
});
afterAll(() => world?.end());

describe.runIf(canRunCutover)('mongodb-cutover-partitioned', () => {
  it('[T37] refuses mirrors that overlap or leave something, and moves each part on its own', async () => {
    await loadParts(world);
    const { root } = world.stage.source;
    // The naive way: each mirror is in order, when it is looked at alone.
    const both = await world.signalbox(['plan', ...partitioned(world, [BOTH])]);
    expect(both.exitCode, both.stdout + both.stderr).toBe(0);
    await root.db('hr').collection('people').insertOne({ n: 1 });
    const refused = await world.signalbox(['plan', ...partitioned(world, [...PARTS, BOTH])]);
    expect(refused.exitCode).not.toBe(0);
    for (const named of [
      'mongomirror-shop.service and mongomirror-both.service both copy shop',
      'no mirror copies hr.people',
    ]) {
      expect(refused.stdout).toContain(named);
    }
    await root.db('hr').dropDatabase();

    const run = await world.beginOther(...partitioned(world));
    for (const part of PARTS) {
      await world.event(run, 'StepStarted', { step: `go[${part.name}]` });
      // What is still to come has not been touched; what is done is done.
      const moved = PARTS.indexOf(part);
      const secrets = PARTS.map(({ writer }) => world.secretOf(writer));
      expect(secrets).toEqual(PARTS.map((_, i) => (i < moved ? NEW_SECRET : OLD_SECRET)));
      for (const other of PARTS) await goesOn(world, other);
      await world.approveBy('operator', run, `go[${part.name}]`);
      await world.event(run, 'StepStarted', { step: `no-way-back[${part.name}]` });
      for (const side of ['source', 'destination'] as const) {
        expect(await countPart(world, part, side)).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
      }
      for (const other of PARTS) if (other !== part) await goesOn(world, other);
      await world.approveBy('approvers', run, `no-way-back[${part.name}]`);
    }
    expect(await world.event(run, 'Ended')).toMatchObject({ outcome: 'completed' });
    for (const { writer } of PARTS) world.cluster.scale(writer, 0);
    await until('the writers to end', () => PARTS.every(({ writer }) => world.cluster.pods(writer).length === 0));
    for (const part of PARTS) {
      expect(world.secretOf(part.reader)).toBe(NEW_SECRET);
      expect(await countPart(world, part, 'destination')).toMatchObject({ lost: [], duplicated: [], miscounted: 0 });
    }

    await transactionAcrossParts(world);
    const across = await world.signalbox(['plan', ...partitioned(world)]);
    expect(across.stdout).toContain('a transaction wrote to crm.views and shop.views, which go with different mirrors');
  });
});
