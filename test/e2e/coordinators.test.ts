import { until } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { workStep } from './support/work.ts';
import { type World, worldOfTest } from './support/world.ts';

const QUICK = { coordinator: { leaseSeconds: 1 } };

/** Who has led the run, in order. */
async function leaders(world: World, run: string): Promise<string[]> {
  const events = (await world.log(run)).flatMap((entry) => entry.events);
  return events.flatMap((event) => (event.type === 'Led' ? [event.coordinator] : []));
}

async function untilLedBy(world: World, run: string, names: string[]): Promise<void> {
  await until(`${run} to be led by ${names.join(', then ')}`, async () => {
    const led = await leaders(world, run);
    return led.join() === names.join();
  });
}

async function untilAlive(world: World, count: number): Promise<string> {
  return await until(`${count} coordinators`, async () => {
    const { findings } = await world.operator.ask('doctor', {});
    const detail = findings.find(({ what }) => what === 'coordinators')?.detail;
    return detail?.split(', ').length === count && detail;
  });
}

/** Every command ran once: each has one begin and one end on its host. */
function expectOnce(world: World, commands: readonly string[]): void {
  for (const what of ['begin', 'end'] as const) {
    const seen = world.marks().filter((mark) => mark.what === what);
    expect(seen.map(({ command }) => command).sort()).toEqual(commands.toSorted());
  }
}

const commandsOf = (run: string, steps: string[]) =>
  steps.flatMap((step) => ['a-1', 'a-2'].map((host) => `${run}:${step}:${host}:do:1`));

describe('[D3] with a standby', () => {
  it('[I1] a run goes on when its coordinator is killed with -9; each command was run once', async () => {
    const world = await worldOfTest(QUICK);
    world.mesh.addCoordinator('coordinator-2');
    await untilAlive(world, 2);
    const run = await world.begin(world.runbook('standby', workStep('during', { until: 'go-on' }) + workStep('after')));
    await until('both hosts to be at work', () => world.marks().length === 2);
    const [leader] = await leaders(world, run);
    const daemon = leader === 'coordinator-1' ? 'coordinator' : 'coordinator-2';
    const other = leader === 'coordinator-1' ? 'coordinator-2' : 'coordinator-1';
    await world.mesh.kill(daemon);
    await untilLedBy(world, run, [String(leader), other]);
    world.release('go-on');
    await world.event(run, 'RunClosed');
    expectOnce(world, commandsOf(run, ['during', 'after']));
  });

  it('[I6] a coordinator that was stopped and wakes up changes nothing, and stands by', async () => {
    const world = await worldOfTest(QUICK);
    const steps = workStep('one', { until: 'go-one' }) + workStep('two', { until: 'go-two' }) + workStep('three');
    const run = await world.begin(world.runbook('sleeper', steps));
    world.mesh.addCoordinator('coordinator-2');
    await untilAlive(world, 2);
    await until('both hosts to be at work', () => world.marks().length === 2);
    const sleeper = world.mesh.pidOf('coordinator');
    process.kill(sleeper, 'SIGSTOP');
    await untilLedBy(world, run, ['coordinator-1', 'coordinator-2']);
    world.release('go-one');
    await world.event(run, 'StepAccepted', { step: 'two' });
    process.kill(sleeper, 'SIGCONT');
    await untilAlive(world, 2);
    // An operator is answered whoever gets the question, and by the one that leads.
    for (let i = 0; i < 4; i++) {
      expect(await world.signalbox(['note', run, `note ${i}`])).toMatchObject({ exitCode: 0 });
    }
    expect(await leaders(world, run)).toEqual(['coordinator-1', 'coordinator-2']);

    // The one that woke up is there when it is needed, without a restart.
    await world.mesh.kill('coordinator-2');
    await untilLedBy(world, run, ['coordinator-1', 'coordinator-2', 'coordinator-1']);
    world.release('go-two');
    await world.event(run, 'RunClosed');
    expectOnce(world, commandsOf(run, ['one', 'two', 'three']));
    const notes = (await world.log(run)).flatMap(({ events }) => events.filter(({ type }) => type === 'NoteAdded'));
    expect(notes).toHaveLength(4);
  });
});

it('[D3] runs are shared out between three coordinators, and anew when one of them is gone', async () => {
  const world = await worldOfTest(QUICK);
  for (const name of ['coordinator-2', 'coordinator-3']) world.mesh.addCoordinator(name);
  await untilAlive(world, 3);
  const file = world.runbook('share', '- id: go\n  approve: { count: 1 }\n');
  const runs: string[] = [];
  for (let i = 0; i < 6; i++) runs.push(await world.begin(file));
  const even = 'coordinator-1 leads 2, coordinator-2 leads 2, coordinator-3 leads 2';
  await until(even, async () => (await untilAlive(world, 3)) === even);

  await world.mesh.kill('coordinator-3');
  const anew = 'coordinator-1 leads 3, coordinator-2 leads 3';
  await until(anew, async () => (await untilAlive(world, 2)) === anew);
  for (const run of runs) expect(await world.signalbox(['approve', run, 'go'])).toMatchObject({ exitCode: 0 });
  for (const run of runs) await world.event(run, 'RunClosed');
});
