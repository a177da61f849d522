import { describe, expect, it } from 'vitest';
import { settled } from '../testing/manual-clock.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { RUN, type SmallWorld, smallWorld } from '../testing/small-world.ts';

const controlsOf = (world: SmallWorld) => world.reports().filter((report) => report.type === 'control');
const codesOf = (world: SmallWorld) =>
  world.reports().flatMap((report) => (report.type === 'refused' ? [report.failure.code] : []));

describe('void', () => {
  it('[D2] withdraws what has not begun, for good, and says which', async () => {
    const world = await smallWorld({ concurrency: 1 });
    world.holdRuns = true;
    const [busy, waiting, future] = ['a', 'b', 'c'].map((step) => world.command({ step }));
    if (!busy || !waiting || !future) throw new Error('three commands');
    await world.give(busy);
    const queued = await world.give(waiting);
    const commands = [busy.id, waiting.id, future.id];
    await world.control({ type: 'void', id: 'v1', commands, reason: 'paused' });
    expect(controlsOf(world)).toMatchObject([{ controlId: 'v1', withdrawn: [waiting.id, future.id] }]);
    expect(queued.verdict).toBe('terminated');
    world.runs()[0]?.resolve();
    await settled();
    const { storage, clock, keys } = world;
    const restarted = await smallWorld({ storage: memoryStorage(storage.onDisk()), clock, keys });
    await restarted.give(future);
    expect([world.runs().length, restarted.runs()]).toEqual([1, []]);
    expect(codesOf(restarted)).toEqual(['SB-AGENT-VOID']);
  });

  it('comes too late for a command whose intent is on disk', async () => {
    const world = await smallWorld();
    const command = world.command();
    await world.give(command);
    await world.control({ type: 'void', id: 'v1', commands: [command.id], reason: 'paused' });
    expect(controlsOf(world)).toMatchObject([{ withdrawn: [] }]);
  });

  it('is answered the same way when it comes again', async () => {
    const world = await smallWorld();
    const body = { type: 'void' as const, id: 'v1', commands: ['x'], reason: 'r' };
    await world.control(body);
    const again = await world.control(body);
    expect(again.verdict).toBe('acked');
    const [first, second] = controlsOf(world);
    expect(second).toEqual(first);
  });
});

describe('fence', () => {
  it('[I6] makes older leaders old, over a restart, and tells the ids that are known', async () => {
    const world = await smallWorld();
    const command = world.command();
    await world.give(command);
    await world.control({ type: 'fence', id: 'f2', epoch: 2, nonce: 'n2' });
    const head = { sequence: 1, hash: 'h' };
    expect(controlsOf(world)).toMatchObject([
      { control: 'fence', epoch: 2, known: [command.id], seen: { epoch: 1, head } },
    ]);
    const { storage, clock, keys } = world;
    const restarted = await smallWorld({ storage: memoryStorage(storage.onDisk()), clock, keys });
    const old = await restarted.give(restarted.command({ step: 'b', epoch: 1 }));
    const usurper = await restarted.give(restarted.command({ step: 'c', epoch: 2, nonce: 'other' }));
    const oldFence = await restarted.control({ type: 'fence', id: 'f1', epoch: 1, nonce: 'n1' });
    expect([old.verdict, usurper.verdict, oldFence.verdict]).toEqual(['terminated', 'terminated', 'acked']);
    expect(restarted.runs()).toEqual([]);
    expect(codesOf(restarted)).toEqual(['SB-AGENT-EPOCH', 'SB-AGENT-NONCE']);
    // What was refused never will be done, whoever asks: the present leader's new attempt is another command.
    const same = await restarted.give(restarted.command({ step: 'b', epoch: 2, nonce: 'n2' }));
    expect([same.verdict, restarted.runs()]).toEqual(['acked', []]);
    await restarted.give(restarted.command({ step: 'b', epoch: 2, nonce: 'n2', attempt: 2 }));
    expect(restarted.runs()).toHaveLength(1);
  });

  it('[D3] of somebody who does not lead any more is answered with whom this host obeys, and not obeyed', async () => {
    const world = await smallWorld();
    const head = { sequence: 7, hash: 'h7' };
    await world.control({ type: 'fence', id: 'f5', epoch: 5, nonce: 'n5', head });
    await world.control({ type: 'fence', id: 'f3', epoch: 3, nonce: 'n3' });
    await world.control({ type: 'fence', id: 'f5b', epoch: 5, nonce: 'another' });
    const [first, old, usurper] = controlsOf(world);
    expect(first).not.toHaveProperty('seen');
    expect(old).toMatchObject({ seen: { epoch: 5, head }, failure: { code: 'SB-AGENT-EPOCH' } });
    expect(usurper).toMatchObject({ seen: { epoch: 5, head }, failure: { code: 'SB-AGENT-NONCE' } });
    const { storage, clock, keys } = world;
    const restarted = await smallWorld({ storage: memoryStorage(storage.onDisk()), clock, keys });
    expect(restarted.journal.state.runs.get(RUN)).toMatchObject({ epoch: 5, nonce: 'n5', head });
    await restarted.control({ type: 'fence', id: 'f6', epoch: 6, nonce: 'n6' });
    expect(controlsOf(restarted).at(-1)).not.toHaveProperty('failure');
  });

  it('[D2] for another journal or machine is not obeyed', async () => {
    const world = await smallWorld();
    const one = await world.control({ type: 'fence', id: 'f1', epoch: 9, journal: 'another' });
    const two = await world.control({ type: 'fence', id: 'f2', epoch: 9, machine: 'another' });
    expect([one.verdict, two.verdict, controlsOf(world)]).toEqual(['terminated', 'terminated', []]);
    expect(world.journal.state.runs.get(RUN)).toBeUndefined();
  });
});

describe('closed', () => {
  it('ends a run: what still comes for it is refused, its files are gone', async () => {
    const world = await smallWorld();
    await world.give(world.command());
    await world.control({ type: 'closed', id: 'c1', outcome: 'completed' });
    await world.give(world.command({ step: 'late' }));
    expect([codesOf(world), world.runs().length, world.discarded]).toEqual([['SB-AGENT-RUN-CLOSED'], 1, [RUN]]);
  });
});

describe('kill', () => {
  it('stops what runs and withdraws what does not', async () => {
    const world = await smallWorld({ concurrency: 1 });
    world.holdRuns = true;
    world.applied = 'partial';
    const [running, waiting] = [world.command({ step: 'a' }), world.command({ step: 'b' })];
    await world.give(running);
    await world.give(waiting);
    const run = world.runs()[0];
    run?.signal.addEventListener('abort', () => run.reject(run.signal.reason));
    await world.control({ type: 'kill', id: 'k1', commands: [running.id, waiting.id], reason: 'enough' });
    expect(controlsOf(world)).toMatchObject([{ control: 'kill', withdrawn: [waiting.id] }]);
    expect(world.reports()).toContainEqual(
      expect.objectContaining({
        commandId: running.id,
        outcome: expect.objectContaining({
          status: 'failed',
          failure: expect.objectContaining({ code: 'SB-AGENT-KILLED' }),
        }),
      }),
    );
    expect(world.runs()).toHaveLength(1);
  });
});
