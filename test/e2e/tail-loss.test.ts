import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { expect, it } from 'vitest';
import { workStep } from './support/work.ts';
import { type World, worldOfTest } from './support/world.ts';

/** Everything but the hosts stands still while `change` is made to what NATS has stored. */
async function offline(world: World, change: (store: string) => void): Promise<void> {
  const { mesh } = world;
  await mesh.killCoordinator();
  await mesh.nats.server.stop();
  change(join(mesh.nats.dir, 'store'));
  await mesh.nats.restart();
  mesh.startCoordinator();
}

it('[I8] a run whose log was put back to an earlier state is held, and nothing is run twice or written over', async () => {
  const world = await worldOfTest({ hosts: ['a-1'] });
  const copy = world.file('store-as-it-was');
  const steps = `${workStep('one', { until: 'go-one' })}${workStep('two')}- id: go\n  approve: { count: 1 }\n`;
  const run = await world.begin(world.runbook('tail', steps));
  await world.event(run, 'StepAccepted', { step: 'one' });
  await offline(world, (store) => cpSync(store, copy, { recursive: true }));
  world.release('go-one');
  await world.event(run, 'StepStarted', { step: 'go' });

  await offline(world, (store) => {
    rmSync(store, { recursive: true });
    cpSync(copy, store, { recursive: true });
  });
  const { reasons } = await world.event(run, 'Held', { timeoutMs: 40_000 });
  expect(reasons).toMatchObject([{ cause: 'conflict', host: 'a-1', failure: { code: 'SB-RUN-CONTRADICTED' } }]);
  const { stdout } = await world.signalbox(['status', run, '--why']);
  expect(stdout).toContain(`${run}:two:a-1:do:1, which the log has never asked for`);
  expect(stdout).toContain(`signalbox resume ${run}`);
  expect((await world.log(run)).flatMap(({ events }) => events.map(({ type }) => type))).not.toContain('ApprovalGiven');

  // Whoever has compared the two lets it go on, and says of what was asked for twice how it ended: the host does nothing
  // under an id that it knows for something else.
  expect(await world.signalbox(['resume', run, '--note', 'compared'])).toMatchObject({ exitCode: 0 });
  await world.event(run, 'StepUnknown', { step: 'two', timeoutMs: 40_000 });
  const seen = ['--as', 'succeeded', '--note', 'seen in its journal'];
  expect(await world.signalbox(['resolve', run, 'two', '--host', 'a-1', ...seen])).toMatchObject({ exitCode: 0 });
  await world.event(run, 'StepStarted', { step: 'go', timeoutMs: 40_000 });
  expect(await world.signalbox(['approve', run, 'go'])).toMatchObject({ exitCode: 0 });
  await world.event(run, 'RunClosed');
  const begun = world.marks().filter(({ what }) => what === 'begin');
  expect(begun.map(({ command }) => command)).toEqual([`${run}:one:a-1:do:1`, `${run}:two:a-1:do:1`]);
  await until('every begin to have its end', () => world.marks().length === 4);
});
