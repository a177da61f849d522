import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { until } from '@signalbox/protocol/testing';
import { expect, it } from 'vitest';
import { workStep } from './support/work.ts';
import { type World, worldOfTest } from './support/world.ts';

/** Works until WORD is there, then changes a file that the other runs want as well. */
function wanting(world: World, name: string, word: string): string {
  const steps = `${workStep('work', { role: 'first', until: word })}- id: keep
  hosts: first
  do: file.backup
  with: { path: ${world.file('shared.conf')} }
`;
  return world.runbook(name, steps, 'whenBusy: wait\n');
}

/** Says that a run starts, and waits until it is told whose turn it is. Resolves with how that start ends. */
async function waitingStart(world: World, file: string, holder: string): Promise<{ ended: Promise<unknown[]> }> {
  const { child, lines } = world.follow(['start', file, '--yes', '--detach']);
  const ended = once(child, 'exit');
  const said: string[] = [];
  lines.on('line', (line) => said.push(line));
  const waits = `waits: ${holder}, started by operator, has a-1 path:`;
  await until(`a start to wait for ${holder}`, () => said.some((line) => line.startsWith(waits)));
  return { ended };
}

it('[I10] three runs want one file, on two coordinators: each waits for its turn, also when a leader dies meanwhile', async () => {
  const world = await worldOfTest({ coordinator: { leaseSeconds: 1 } });
  world.mesh.addCoordinator('coordinator-2');
  writeFileSync(world.file('shared.conf'), 'the file');
  const first = await world.begin(wanting(world, 'one', 'go-one'));
  await world.event(first, 'StepAccepted', { step: 'work' });

  const second = await waitingStart(world, wanting(world, 'two', 'go-two'), first);
  expect(await world.log('two-1')).toEqual([]);
  world.release('go-one');
  expect((await second.ended)[0]).toBe(0);
  await world.event('two-1', 'StepAccepted', { step: 'work' });

  const third = await waitingStart(world, wanting(world, 'three', 'go-three'), 'two-1');
  const { coordinator: leader } = await world.event('two-1', 'Led');
  await world.mesh.kill(leader === 'coordinator-1' ? 'coordinator' : leader);
  await until('the other one to lead', async () => {
    const led = (await world.log('two-1')).flatMap(({ events }) => events.filter(({ type }) => type === 'Led'));
    return led.length === 2;
  });
  // Whoever leads now knows whose the file is; nothing of the third run has begun.
  expect(await world.log('three-1')).toEqual([]);
  world.release('go-two');
  expect((await third.ended)[0]).toBe(0);
  world.release('go-three');
  await world.event('three-1', 'RunClosed');

  const order = world.marks().map(({ command, what }) => `${command.split(':')[0]} ${what}`);
  expect(order).toEqual(['one-1', 'two-1', 'three-1'].flatMap((run) => [`${run} begin`, `${run} end`]));
});
