import { randomUUID } from 'node:crypto';
import { busError } from '@signalbox/bus';
import { type PlanStep, SignalboxError } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { settle } from '../testing/manual-clock.ts';
import { action, OPERATOR, World } from '../testing/world.ts';

const done = { status: 'succeeded', receipt: {} } as const;

function touching(id: string, hosts: readonly string[], ...touches: string[]): PlanStep {
  const step = action(id, hosts);
  if (step.kind !== 'action') throw new Error('no action');
  return { ...step, targets: step.targets.map((target) => ({ ...target, touches })) };
}

async function begin(world: World, step: PlanStep, start: string = randomUUID()): Promise<string> {
  const { run } = await world.runs.create(JSON.stringify(world.plan([step])), { by: OPERATOR, start });
  await settle();
  return run;
}

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  return error instanceof SignalboxError ? error.message : 'not refused';
}

describe('[I10] two runs that want the same', () => {
  it('are not open at once: the second is refused, by name, until the first is over', async () => {
    const world = new World(['a', 'b']);
    const first = await begin(world, touching('one', ['a'], 'unit:x.service', 'path:/etc/x'));
    const again = () => begin(world, touching('two', ['a', 'b'], 'unit:x.service'));
    expect(await refusalOf(again())).toBe('SB-COORD-BUSY: book-1, started by ayse, has a unit:x.service');
    const [command] = world.commands();
    if (!command) throw new Error('nothing was sent');
    await world.report(command, done);
    expect((await world.runs.load(first)).state.status).toBe('completed');
    expect(await again()).toBe('book-2');
  });

  it('do not hinder each other on other hosts, with other things, or when they only look', async () => {
    const world = new World(['a', 'b']);
    await begin(world, touching('one', ['a'], 'unit:x.service'));
    await begin(world, touching('two', ['b'], 'unit:x.service'));
    await begin(world, touching('three', ['a'], 'unit:y.service'));
    await begin(world, { ...touching('four', ['a'], 'unit:x.service'), effect: 'read' } as PlanStep);
    expect(world.commands()).toHaveLength(4);
  });

  it('meet also where the same thing is reached from two hosts', async () => {
    const world = new World(['a', 'b']);
    await begin(world, touching('one', ['a'], 'deployment:rtu'));
    expect(await refusalOf(begin(world, touching('two', ['b'], 'deployment:rtu')))).toContain('SB-COORD-BUSY');
  });

  it('meet where an exclusive unit could be, not only where it is started', async () => {
    const world = new World(['a', 'b', 'c']);
    const up = touching('up', ['b'], 'unit:key.service');
    if (up.kind !== 'action') throw new Error('no action');
    const exclusive = {
      resource: 'key',
      direction: 'do' as const,
      probe: 'systemd.unit',
      with: { unit: 'key.service' },
      hosts: ['a', 'c'],
      until: {},
    };
    await begin(world, { ...up, targets: up.targets.map((target) => ({ ...target, exclusive: [exclusive] })) });
    expect(await refusalOf(begin(world, touching('other', ['c'], 'unit:key.service')))).toContain('SB-COORD-BUSY');
  });

  it('started at the same moment: one begins', async () => {
    const world = new World(['a']);
    const both = await Promise.allSettled([1, 2].map(() => begin(world, touching('one', ['a'], 'unit:x.service'))));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(world.commands()).toHaveLength(1);
  });
});

describe('a claim', () => {
  it('outlives the coordinator: another one refuses as well, and the same start said again is the same run', async () => {
    const world = new World(['a']);
    const start = randomUUID();
    const step = touching('one', ['a'], 'unit:x.service');
    const run = await begin(world, step, start);
    await world.restart();
    expect(await refusalOf(begin(world, step))).toContain('SB-COORD-BUSY');
    expect(await begin(world, step, start)).toBe(run);
  });

  it('of a start that never came to a run is given up in that log, so that whoever made it cannot begin any more', async () => {
    const world = new World(['a']);
    const [late, step] = [randomUUID(), touching('one', ['a'], 'unit:x.service')];
    world.bus.appendErrors.push(busError('SB-BUS-STORAGE-FULL', 'no room'));
    expect(await refusalOf(begin(world, step, late))).toContain('SB-BUS-STORAGE-FULL');
    expect(await refusalOf(begin(world, step))).toContain('SB-COORD-BUSY');
    await world.clock.advance(61_000);
    const other = await begin(world, step);
    expect((await world.runs.load('book-1')).state.status).toBe('aborted');
    expect(other).toBe('book-2');
    expect(await begin(world, step, late)).toBe('book-1');
    expect(world.commands().map((command) => command.run)).toEqual(['book-2']);
  });
});
