import { busError } from '@signalbox/bus';
import { SignalboxError } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { action, type Coordinator, OPERATOR, World } from '../testing/world.ts';

const planOf = (world: World, step = 'one') => JSON.stringify(world.plan([action(step, ['a'])]));
const begin = (coordinator: Coordinator, plan: string, start: string) =>
  coordinator.runs.create(plan, { by: OPERATOR, start });
const codeOf = (error: unknown) => (error instanceof SignalboxError ? error.code : String(error));

describe('[I8] a start', () => {
  it('that is said again gives the run that it gave, whoever is asked', async () => {
    const world = new World(['a']);
    const plan = planOf(world);
    const [one, two] = [await world.join('c-1'), await world.join('c-2')];
    const first = await begin(one, plan, 's-1');
    expect(await begin(one, plan, 's-1')).toEqual(first);
    expect(await begin(two, plan, 's-1')).toEqual(first);
    expect(await two.runs.begun('s-1', plan)).toEqual(first);
    expect(await begin(two, plan, 's-2')).toMatchObject({ run: 'book-2' });
    expect([...world.bus.logs.keys()]).toEqual(['book-1', 'book-2']);
  });

  it('that two are asked for at once is one run, and two starts are two', async () => {
    const world = new World(['a']);
    const plan = planOf(world);
    const [one, two] = [await world.join('c-1'), await world.join('c-2')];
    const begun = await Promise.all(
      ['s-1', 's-2', 's-1'].flatMap((start) => [begin(one, plan, start), begin(two, plan, start)]),
    );
    const runs = begun.map(({ run }) => run);
    expect([runs[0], runs[2]]).toEqual([runs[1], runs[3]]);
    expect(runs.slice(4)).toEqual(runs.slice(0, 2));
    expect([...world.bus.logs.keys()].toSorted()).toEqual(['book-1', 'book-2']);
  });

  it('whose run was refused by the bus begins that run when it is said again', async () => {
    const world = new World(['a']);
    const one = await world.join('c-1');
    world.bus.appendErrors.push(busError('SB-BUS-STORAGE-FULL', 'no room'));
    expect(await begin(one, planOf(world), 's-1').catch(codeOf)).toBe('SB-BUS-STORAGE-FULL');
    expect(await begin(one, planOf(world, 'other'), 's-2')).toMatchObject({ run: 'book-1' });
    expect(await begin(one, planOf(world), 's-1')).toMatchObject({ run: 'book-2' });
  });

  it('stands for one plan', async () => {
    const world = new World(['a']);
    const one = await world.join('c-1');
    await begin(one, planOf(world), 's-1');
    expect(await begin(one, planOf(world, 'other'), 's-1').catch(codeOf)).toBe('SB-COORD-START');
  });
});
