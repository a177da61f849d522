import { randomUUID } from 'node:crypto';
import { busError } from '@signalbox/bus';
import { LogEntry, SignalboxError } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { action, type Coordinator, LEASE_MS, OPERATOR, World } from '../testing/world.ts';

/** What a takeover may take: the lease, and a second. */
const TAKEOVER_MS = LEASE_MS + 1_000;

async function begin(world: World, coordinator: Coordinator): Promise<string> {
  const plan = JSON.stringify(world.plan([action('one', ['a'])]));
  return (await coordinator.runs.create(plan, { by: OPERATOR, start: randomUUID() })).run;
}

function leaders(world: World, run: string): string[] {
  const entries = (world.bus.logs.get(run) ?? []).map(({ data }) => LogEntry.parse(JSON.parse(data.toString())));
  return entries.flatMap(({ events }) =>
    events.flatMap((e) => (e.type === 'Led' ? [`${e.coordinator} ${e.epoch}`] : [])),
  );
}

const noted = { type: 'note', by: OPERATOR, text: 'still me' } as const;
const codeOf = (error: unknown) => (error instanceof SignalboxError ? error.code : String(error));

describe('a standby', () => {
  it('[D3] takes over within lease + 1 s when a coordinator is gone, and not before', async () => {
    const world = new World(['a']);
    const [one, two] = [await world.join('c-1'), await world.join('c-2')];
    const run = await begin(world, one);
    await world.clock.advance(10 * LEASE_MS);
    expect(leaders(world, run)).toEqual(['c-1 1']);
    one.sleep();
    await world.clock.advance(LEASE_MS / 2);
    expect(leaders(world, run)).toEqual(['c-1 1']);
    await world.clock.advance(TAKEOVER_MS - LEASE_MS / 2);
    expect([leaders(world, run), two.runs.leading]).toEqual([['c-1 1', 'c-2 2'], [run]]);
  });

  it('[I6] finds nothing changed by the sleeper that wakes up, which goes on as a standby itself', async () => {
    const world = new World(['a']);
    const [one, two] = [await world.join('c-1'), await world.join('c-2')];
    const run = await begin(world, one);
    const { runs } = one;
    const sleeper = await runs.led(run);
    one.sleep();
    await world.clock.advance(TAKEOVER_MS);
    const sent = world.bus.commands.length + world.bus.controls.length;
    one.wake();
    expect(await sleeper.submit(noted).catch(codeOf)).toBe('SB-COORD-DEPOSED');
    await world.clock.advance(LEASE_MS);
    expect([runs.leading, two.runs.leading]).toEqual([[], [run]]);
    expect(world.bus.commands.length + world.bus.controls.length).toBe(sent);
    two.sleep();
    await world.clock.advance(TAKEOVER_MS);
    expect(leaders(world, run)).toEqual(['c-1 1', 'c-2 2', 'c-1 3']);
  });

  it('[I6] deposes a sleeper that only looks after its lease', async () => {
    const world = new World(['a']);
    const [one] = [await world.join('c-1'), await world.join('c-2')];
    const run = await begin(world, one);
    const sleeper = await one.runs.led(run);
    one.sleep();
    await world.clock.advance(TAKEOVER_MS);
    one.wake();
    await world.clock.advance(LEASE_MS);
    expect(one.runs.leading).toEqual([]);
    expect(await sleeper.submit(noted).catch(codeOf)).toBe('SB-COORD-DEPOSED');
  });

  it('takes over at once what a coordinator gives back when it is stopped', async () => {
    const world = new World(['a']);
    const [one, two] = [await world.join('c-1'), await world.join('c-2')];
    const run = await begin(world, one);
    await one.runs.stop();
    await one.members.stop();
    await world.clock.advance(1_000);
    expect(two.runs.leading).toEqual([run]);
  });

  it('takes over from nobody because the bus was away, however long', async () => {
    const world = new World(['a']);
    const [one, two] = [await world.join('c-1'), await world.join('c-2')];
    const [first, second] = [await begin(world, one), await begin(world, two)];
    const { readLeases, writeLease } = world.bus;
    world.bus.readLeases = world.bus.writeLease = async () => {
      throw busError('SB-BUS-OFFLINE', 'no connection');
    };
    await world.clock.advance(20 * LEASE_MS);
    Object.assign(world.bus, { readLeases, writeLease });
    await world.clock.advance(4 * LEASE_MS);
    expect([leaders(world, first), leaders(world, second)]).toEqual([['c-1 1'], ['c-2 1']]);
  });
});

describe('runs of a coordinator that is gone', () => {
  it('are shared out evenly, each to one', async () => {
    const world = new World(['a']);
    const [one, two, three] = [await world.join('c-1'), await world.join('c-2'), await world.join('c-3')];
    const runs: string[] = [];
    for (let i = 0; i < 8; i++) runs.push(await begin(world, one));
    one.sleep();
    await world.clock.advance(TAKEOVER_MS);
    expect([two.runs.leading.length, three.runs.leading.length]).toEqual([4, 4]);
    for (const run of runs) expect(leaders(world, run)).toHaveLength(2);
  });

  it('do not stay with one that does not take them up', async () => {
    const world = new World(['a']);
    const [one, two, three] = [await world.join('c-1'), await world.join('c-2'), await world.join('c-3')];
    const runs = [await begin(world, one), await begin(world, one)];
    two.runs.share = async () => {};
    one.sleep();
    await world.clock.advance(TAKEOVER_MS);
    expect(three.runs.leading).toHaveLength(1);
    expect(three.runs.orphans).toHaveLength(1);
    await world.clock.advance(4 * LEASE_MS);
    expect(three.runs.leading.toSorted()).toEqual(runs);
  });

  it('are taken at once by the one that has its name: it is the same one, started again', async () => {
    const world = new World(['a']);
    const one = await world.join('c-1');
    const run = await begin(world, one);
    world.bus.peers.set(one.members.id, async () => new Uint8Array());
    // Another one of the same name is not the same while the first answers.
    expect((await world.join('c-1')).runs.leading).toEqual([]);
    world.bus.peers.delete(one.members.id);
    expect((await world.join('c-1')).runs.leading).toEqual([run]);
  });
});

it('two coordinators that begin a run at once begin two', async () => {
  const world = new World(['a']);
  const [one, two] = [await world.join('c-1'), await world.join('c-2')];
  const begun = await Promise.all([begin(world, one), begin(world, two)]);
  expect(begun.toSorted()).toEqual(['book-1', 'book-2']);
});
