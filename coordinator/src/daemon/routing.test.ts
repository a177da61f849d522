import { busError } from '@signalbox/bus';
import { SignalboxError } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { type Coordinator, World } from '../testing/world.ts';
import { type Asked, Routing } from './routing.ts';

interface Desk extends Coordinator {
  readonly isMine: (asked: Asked) => Promise<boolean | string>;
}

/** Coordinators that know of each other and what each leads; the first by id is the first of the answer. */
async function desks(world: World, leads: readonly string[][]): Promise<Desk[]> {
  const joined = await Promise.all(leads.map((_, i) => world.join(`c-${i}`)));
  const sorted = joined.toSorted((a, b) => (a.members.id < b.members.id ? -1 : 1));
  const made = sorted.map((coordinator) => {
    const routing = new Routing(coordinator.ports, coordinator.members);
    const isMine = (asked: Asked) =>
      routing.isMine(asked).catch((error: unknown) => (error instanceof SignalboxError ? error.code : String(error)));
    return { ...coordinator, isMine, routing };
  });
  for (const [i, { members, routing }] of made.entries()) {
    await members.claim(leads[i] ?? []);
    await routing.serve();
  }
  // Long enough for all to have seen all, too short for a look through the runs, which would find none of them.
  await world.clock.advance(500);
  return made;
}

const all = (made: readonly Desk[], asked: Asked) => Promise.all(made.map((desk) => desk.isMine(asked)));

describe('a request', () => {
  it('is answered by one: the leader of its run, for a start the one with the fewest runs, else the first', async () => {
    const made = await desks(new World([]), [['run-1', 'run-2'], ['run-3'], ['run-4', 'run-5']]);
    expect(await all(made, { verb: 'approve', run: 'run-5' })).toEqual([false, false, true]);
    expect(await all(made, { verb: 'approve', run: 'run-9' })).toEqual([true, false, false]);
    expect(await all(made, { verb: 'start' })).toEqual([false, true, false]);
    expect(await all(made, { verb: 'runs' })).toEqual([true, false, false]);
  });

  it('about a run whose leader is gone is refused at once by the next in line, and its log is read', async () => {
    const world = new World([]);
    const made = await desks(world, [[], [], ['run-1']]);
    world.bus.peers.delete(made[2]?.members.id ?? '');
    const alive = made.slice(0, 2);
    expect(await all(alive, { verb: 'approve', run: 'run-1' })).toEqual(['SB-COORD-NOT-LED', false]);
    expect(await all(alive, { verb: 'log', run: 'run-1' })).toEqual([true, false]);
  });

  it('about a run whose leader hangs is left to it, unless the log can answer', async () => {
    const world = new World([]);
    const made = await desks(world, [[], [], ['run-1']]);
    world.bus.peers.set(made[2]?.members.id ?? '', async () => {
      throw busError('SB-BUS-TIMEOUT', 'asleep');
    });
    const alive = made.slice(0, 2);
    expect(await all(alive, { verb: 'approve', run: 'run-1' })).toEqual([false, false]);
    expect(await all(alive, { verb: 'log', run: 'run-1' })).toEqual([true, false]);
  });

  it('that the first in line withholds, or hands back, is answered by the next', async () => {
    const world = new World([]);
    const made = await desks(world, [[], [], ['run-1']]);
    const [first, , leader] = made;
    leader?.members.release('run-1');
    expect(await all(made, { verb: 'note', run: 'run-1' })).toEqual([true, false, false]);
    world.bus.peers.set(first?.members.id ?? '', async () => {
      throw busError('SB-BUS-TIMEOUT', 'asleep');
    });
    expect(await all(made.slice(1), { verb: 'hosts' })).toEqual([true, false]);
  });
});
