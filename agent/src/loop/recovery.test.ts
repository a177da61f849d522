import type { Applied } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../testing/memory-storage.ts';
import { type SmallWorld, type SmallWorldOptions, smallWorld } from '../testing/small-world.ts';

/** An agent that dies while a step runs; what it had synced is all that is left. */
async function crashed(): Promise<SmallWorld> {
  const world = await smallWorld();
  world.holdRuns = true;
  await world.give(world.command({ timeoutMs: 20_000 }));
  return world;
}

function restart({ storage, clock, keys }: SmallWorld, options: SmallWorldOptions = {}): Promise<SmallWorld> {
  return smallWorld({ storage: memoryStorage(storage.onDisk()), clock, keys, ...options });
}

const outcomes = (world: SmallWorld) => world.reports().filter((report) => report.type === 'outcome');

describe('an intent without outcome [I5]', () => {
  it('is never run again; only a clear yes of its probe is success', async () => {
    const world = await restart(await crashed());
    expect(world.calls.map(({ what }) => what)).toEqual(['probe']);
    expect(outcomes(world)).toMatchObject([
      { outcome: { status: 'unknown', probed: 'cannot-tell', failure: { code: 'SB-AGENT-INTERRUPTED' } } },
    ]);
    const again = await world.give(world.command({ timeoutMs: 20_000, notAfterMs: world.clock.nowMs() + 60_000 }));
    expect([again.verdict, world.runs()]).toEqual(['acked', []]);
  });

  it.each([
    ['applied', { status: 'succeeded', probed: true, receipt: { was: 'so' } }],
    ['not-applied', { status: 'unknown', probed: 'not-applied' }],
    ['partial', { status: 'unknown', probed: 'partial' }],
  ] as [Applied, object][])('whose probe says %s', async (applied, outcome) => {
    const world = await restart(await crashed(), { workbenchSurvivors: [{ pid: 7, startTicks: '1' }] });
    world.applied = applied;
    await world.clock.advance(3_000);
    // The old process still runs: asking now would be asking too early.
    expect(world.calls).toEqual([]);
    world.survivors.length = 0;
    await world.clock.advance(1_000);
    expect(outcomes(world)).toMatchObject([{ outcome }]);
  });

  it('is asked about with the moment in which it was begun, by the monotonic clock only in the same boot', async () => {
    const world = await crashed();
    const [atMs, monotonicMs] = [world.clock.nowMs(), world.clock.monotonicMs()];
    await world.clock.advance(3_000);
    const [probe] = (await restart(world)).calls;
    expect(probe).toMatchObject({ what: 'probe', begun: { atMs, monotonicMs } });
    const [later] = (await restart(world, { identity: { boot: 'b2' } })).calls;
    expect(later?.begun).toEqual({ atMs });
  });

  it('is left by a step that fails while its host goes down: what that did to it is no answer', async () => {
    const world = await smallWorld();
    world.holdRuns = true;
    await world.give(world.command());
    world.goingDown = true;
    world.runs()[0]?.reject(new Error('no unit for the process'));
    await world.agent.stop();
    expect(outcomes(world)).toEqual([]);
    const next = await restart(world, { applied: 'not-applied', identity: { boot: 'b2' } });
    expect(outcomes(next)).toMatchObject([{ outcome: { status: 'unknown', probed: 'not-applied' } }]);
  });

  it('whose process goes on past its time is ended first', async () => {
    const group = { pid: 7, startTicks: '1' };
    const world = await restart(await crashed(), { workbenchSurvivors: [group] });
    await world.clock.advance(25_000);
    expect(world.killed).toEqual([group]);
    expect(outcomes(world)).toHaveLength(1);
  });

  it('after a new boot waits for no process, nor after a second start in it', async () => {
    const rebooted = { workbenchSurvivors: [{ pid: 7, startTicks: '1' }], identity: { boot: 'b2' } };
    const first = await restart(await crashed(), { ...rebooted, applied: 'in-progress' });
    expect(first.calls.map(({ what }) => what)).toEqual(['probe']);
    const second = await restart(first, rebooted);
    await second.clock.advance(60_000);
    expect([outcomes(second).length, second.killed]).toEqual([1, []]);
  });

  it('is asked about for as long as the server side still works, and its undo waits', async () => {
    const old = await crashed();
    const world = await restart(old, { applied: 'in-progress' });
    const undo = await world.give(world.command({ direction: 'undo' }));
    await world.clock.advance(5_000);
    expect([outcomes(world), undo.verdict]).toEqual([[], 'none']);
    expect(await world.query({ verb: 'settle', commands: [old.command().id] })).toMatchObject({
      commands: [{ state: 'running' }],
    });
    world.applied = 'applied';
    await world.clock.advance(2_000);
    expect(outcomes(world)[0]).toMatchObject({ outcome: { status: 'succeeded', probed: true } });
    expect(undo.verdict).toBe('acked');
  });
});

describe('a host that is not the one that was planned for [D2]', () => {
  it('refuses: a journal that is empty now', async () => {
    const planned = await smallWorld();
    const command = planned.command();
    const { clock, keys } = planned;
    const world = await smallWorld({ clock, keys, newId: 'journal-2' });
    const delivered = await world.give(command);
    expect([delivered.verdict, world.runs()]).toEqual(['terminated', []]);
    expect(world.reports()).toMatchObject([
      { type: 'refused', journal: 'journal-2', failure: { code: 'SB-AGENT-JOURNAL' } },
    ]);
  });

  it('refuses: a clone, with the journal and all', async () => {
    const world = await restart(await smallWorld(), { identity: { machine: 'm2' } });
    expect(world.journal.failure?.code).toBe('SB-JOURNAL-IDENTITY');
    expect((await world.give(world.command())).verdict).toBe('none');
  });
});
