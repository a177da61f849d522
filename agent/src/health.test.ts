import { Health, type HealthReply } from '@signalbox/protocol';
import { open, seal } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { type SmallWorld, smallWorld } from './testing/small-world.ts';

const lastBeat = (world: SmallWorld) =>
  open(world.bus.sent.beats.at(-1) ?? new Uint8Array(), {
    kind: 'health',
    schema: Health,
    trusts: (key) => key === world.keys.host.publicKey,
  }).payload;

function answer(world: SmallWorld, reply: HealthReply) {
  world.bus.reply = () => seal('reply', reply, world.keys.coordinator);
}

const refusal = (code: string): HealthReply => ({
  ...{ type: 'refused', failure: { code, class: 'terminal', message: 'm', next: 'n' } },
});

describe('a beat', () => {
  it('comes every two seconds and says who, what and how it is', async () => {
    const world = await smallWorld();
    world.holdRuns = true;
    await world.give(world.command());
    const before = world.bus.sent.beats.length;
    await world.clock.advance(10_000);
    expect(world.bus.sent.beats.length - before).toBe(5);
    expect(lastBeat(world)).toMatchObject({
      ...{ mesh: 'lab', host: 'h1', instance: 'i1', journal: 'journal-1', machine: 'm1', boot: 'b1' },
      ...{ actions: ['test.action@1'], probes: ['test.probe@1'], running: [world.command().id] },
    });
  });

  it('is not sent into a lost connection', async () => {
    const world = await smallWorld();
    world.bus.connect(false);
    const before = world.bus.sent.beats.length;
    await world.clock.advance(10_000);
    expect(world.bus.sent.beats.length).toBe(before);
  });

  it('[I7] whose answer is signed by a stranger says nothing about the time', async () => {
    const world = await smallWorld({ coordinatorNowMs: () => undefined });
    world.bus.reply = () => seal('reply', { type: 'heard', coordinator: 'c', nowMs: 1 }, world.keys.host);
    const delivered = await world.give(world.command());
    await world.clock.advance(4_000);
    expect([delivered.verdict, world.runs()]).toEqual(['none', []]);
    expect(world.logs).toContainEqual({ level: 'warn', message: 'beat' });
  });

  it('that is refused because the name is taken ends the agent; for any other reason it waits', async () => {
    const world = await smallWorld();
    answer(world, refusal('SB-HOST-UNKNOWN'));
    await world.clock.advance(6_000);
    expect(world.logs.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(world.duplicates).toEqual([]);
    answer(world, refusal('SB-HOST-DUPLICATE'));
    await world.clock.advance(2_000);
    expect(world.duplicates).toMatchObject([{ code: 'SB-HOST-DUPLICATE' }]);
  });
});
