import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { AgentBus, CoordinatorBus, Delivery } from '../port.ts';

/** A mesh with hosts a1 and a2 in which things can be made to go wrong. It ends with the test that opened it. */
export interface BusWorld {
  /** A connection of its own. */
  coordinator(): Promise<CoordinatorBus>;
  agent(host: 'a1' | 'a2'): Promise<AgentBus>;
  /** What is stored next over this connection is stored, and the answer never comes. */
  loseAnswer(bus: CoordinatorBus | AgentBus): void;
  /** Keeps what is stored now, for `putBack`. */
  remember(): Promise<void>;
  /** Storage is as it was then; connections are lost and come back. */
  putBack(): Promise<void>;
  /** From now on there is no room for another entry of any run. */
  fill(): Promise<void>;
}

const HOUR_MS = 3_600_000;

/**
 * What the programs rely on, of whatever carries their messages. Held against a real NATS server, and against the bus of
 * the simulator: what is proven there is worth as much as the two agree.
 */
export function busContract(open: () => Promise<BusWorld>): void {
  it('[I8] an append whose acknowledgement is lost counts, once, and the next one follows it', async () => {
    const world = await open();
    const bus = await world.coordinator();
    const first = sequenceOf(await bus.append('run-1', bytes('one'), 0));
    world.loseAnswer(bus);
    const second = sequenceOf(await bus.append('run-1', bytes('two'), first));
    sequenceOf(await bus.append('run-1', bytes('three'), second));
    expect(await logOf(bus, 'run-1')).toEqual(['one', 'two', 'three']);
  });

  it('[I6] of two who append after the same entry one wins, and the other hears of it', async () => {
    const world = await open();
    const [one, two] = [await world.coordinator(), await world.coordinator()];
    const first = sequenceOf(await one.append('run-1', bytes('first'), 0));
    const both = await Promise.all([
      one.append('run-1', bytes('by one'), first),
      two.append('run-1', bytes('by two'), first),
    ]);
    expect(both.filter((outcome) => outcome === 'conflict')).toHaveLength(1);
    expect(await logOf(two, 'run-1')).toHaveLength(2);
  });

  it('[I6] nobody writes on what they read before others wrote, nor reads less than was acknowledged', async () => {
    const world = await open();
    const [one, two] = [await world.coordinator(), await world.coordinator()];
    const stale = sequenceOf(await one.append('run-1', bytes('e0'), 0));
    let last = stale;
    for (let i = 1; i < 20; i++) {
      last = sequenceOf(await one.append('run-1', bytes(`e${i}`), last));
      expect((await two.lastEntry('run-1'))?.sequence).toBe(last);
    }
    expect(await logOf(two, 'run-1')).toEqual(Array.from({ length: 20 }, (_, i) => `e${i}`));
    expect(await two.append('run-1', bytes('late'), stale)).toBe('conflict');
    expect(await two.append('run-1', bytes('first'), 0)).toBe('conflict');
    expect((await two.lastEntry('run-1'))?.sequence).toBe(last);
  });

  it('a lease is written by whoever knows its revision; said again after a lost answer, it is the same write', async () => {
    const world = await open();
    const [one, two] = [await world.coordinator(), await world.coordinator()];
    const lease = { name: 'c1', revision: 0, data: bytes('mine') };
    world.loseAnswer(one);
    const written = await again(() => one.writeLease('member', lease));
    const { revision } = written === 'conflict' ? expect.fail('it was our own') : written;
    expect(await two.readLease('member', 'c1')).toMatchObject({ name: 'c1', revision });
    expect(await two.writeLease('member', { ...lease, data: bytes('theirs') })).toBe('conflict');
    const renewed = await two.writeLease('member', { name: 'c1', revision, data: bytes('renewed') });
    expect(renewed).toMatchObject({ revision: expect.any(Number) });
    expect(await one.dropLease('member', { name: 'c1', revision })).toBe('conflict');
    expect(await one.writeLease('member', { name: 'c1', revision, data: bytes('mine') })).toBe('conflict');
  });

  it('[I1] a command whose acknowledgement is lost may be sent again, and never with other content', async () => {
    const world = await open();
    const bus = await world.coordinator();
    world.loseAnswer(bus);
    await again(() => bus.sendCommand('a1', 'c:1', bytes('do'), HOUR_MS));
    expect(await codeOf(() => bus.sendCommand('a1', 'c:1', bytes('do'), HOUR_MS))).toBeUndefined();
    expect(await codeOf(() => bus.sendCommand('a1', 'c:1', bytes('else'), HOUR_MS))).toBe('SB-BUS-ID-CONFLICT');
    const seen = await heard(world, { count: 1 });
    expect(new Set(seen)).toEqual(new Set(['c:1 do']));
  });

  it('[D1] a command that is not acknowledged comes again, after later ones; one that is does not', async () => {
    const world = await open();
    const bus = await world.coordinator();
    for (let i = 0; i < 5; i++) await bus.sendCommand('a1', `c:${i}`, bytes('do'), HOUR_MS);
    let failed = 0;
    const seen = await heard(world, {
      count: 5,
      fails: ({ id }) => id === 'c:1' && failed++ === 0,
    });
    const later = seen.slice(seen.indexOf('c:1 do') + 1);
    expect(later).toContain('c:1 do');
    expect(later.indexOf('c:2 do')).toBeLessThan(later.indexOf('c:1 do'));
    // Whoever listens next hears nothing of what was acknowledged; what is sent now shows that it listens.
    await bus.sendCommand('a1', 'c:last', bytes('do'), HOUR_MS);
    expect(await heard(world, { count: 1 })).toEqual(['c:last do']);
  });

  it('[I5] a report whose acknowledgement is lost is there, and one that nobody took comes again after later ones', async () => {
    const world = await open();
    const bus = await world.coordinator();
    const agent = await world.agent('a1');
    world.loseAnswer(agent);
    await again(() => agent.report('run-1', bytes('r0')));
    for (let i = 1; i < 4; i++) await agent.report('run-1', bytes(`r${i}`));
    const seen: string[] = [];
    const stop = await bus.reports('run-1', 1, async ({ host, data, ack }) => {
      seen.push(`${host} ${text(data)}`);
      if (text(data) === 'r1' && seen.filter((one) => one === 'a1 r1').length === 1) throw new Error('not now');
      ack();
    });
    await until(() => seen.filter((one) => one === 'a1 r1').length > 1 && seen.includes('a1 r3'));
    expect(new Set(seen)).toEqual(new Set(['a1 r0', 'a1 r1', 'a1 r2', 'a1 r3']));
    expect(seen.indexOf('a1 r2')).toBeLessThan(seen.lastIndexOf('a1 r1'));
    await stop();
  });

  it('[I5] reports that one leader has taken without a word come to the next one', async () => {
    const world = await open();
    const [sleeper, next] = [await world.coordinator(), await world.coordinator()];
    const agent = await world.agent('a1');
    for (let i = 0; i < 3; i++) await agent.report('run-1', bytes(`r${i}`));
    const taken: string[] = [];
    await sleeper.reports('run-1', 1, async ({ data }) => {
      taken.push(text(data));
      await new Promise(() => {});
    });
    await until(() => taken.length > 0);
    const seen: string[] = [];
    await next.reports('run-1', 2, async ({ data, ack }) => {
      seen.push(text(data));
      ack();
    });
    await until(() => seen.length >= 3);
    expect(seen).toEqual(['r0', 'r1', 'r2']);
  });

  it('[I8] storage that is put back has lost its end: whoever knew that end cannot write on', async () => {
    const world = await open();
    const bus = await world.coordinator();
    const first = sequenceOf(await bus.append('run-1', bytes('first'), 0));
    await world.remember();
    let last = first;
    for (const entry of ['lost', 'lost too']) last = sequenceOf(await bus.append('run-1', bytes(entry), last));
    await world.putBack();
    expect(await logOf(bus, 'run-1')).toEqual(['first']);
    expect(await bus.append('run-1', bytes('as if nothing had been'), last)).toBe('conflict');
    sequenceOf(await bus.append('run-1', bytes('read again'), first));
    expect(await logOf(bus, 'run-1')).toEqual(['first', 'read again']);
  });

  it('[I8] full storage refuses an entry, says so, and gives back all that it has', async () => {
    const world = await open();
    const bus = await world.coordinator();
    const first = sequenceOf(await bus.append('run-1', bytes('first'), 0));
    await world.fill();
    expect(await codeOf(() => bus.append('run-1', bytes('more'), first))).toBe('SB-BUS-STORAGE-FULL');
    expect(await logOf(bus, 'run-1')).toEqual(['first']);
    expect(bus.connected).toBe(true);
  });
}

interface Hearing {
  /** Until so many different ones have been acknowledged. */
  readonly count: number;
  readonly fails?: (delivery: Delivery) => boolean;
}

/** Listens to the commands of a1 until enough were heard; everything that reached the handler, in its order. */
async function heard(world: BusWorld, { count, fails = () => false }: Hearing): Promise<string[]> {
  const agent = await world.agent('a1');
  const seen: string[] = [];
  const acked = new Set<string>();
  const stop = await agent.commands(async (delivery) => {
    seen.push(`${delivery.id} ${text(delivery.data)}`);
    if (fails(delivery)) throw new Error('not now');
    delivery.ack();
    acked.add(delivery.id);
  });
  await until(() => acked.size >= count);
  await stop();
  await agent.close();
  return seen;
}

/** Says the same once more when nobody answered. */
async function again<T>(call: () => Promise<T>): Promise<T> {
  return await call().catch(async (error: unknown) => {
    if (code(error) !== 'SB-BUS-TIMEOUT') throw error;
    return await call();
  });
}

async function logOf(bus: CoordinatorBus, run: string): Promise<string[]> {
  return (await bus.readRun(run)).map(({ data }) => text(data));
}

function sequenceOf(outcome: { sequence: number } | 'conflict'): number {
  return outcome === 'conflict' ? expect.fail('nobody else appends') : outcome.sequence;
}

async function codeOf(call: () => Promise<unknown>): Promise<string | undefined> {
  return await call().then(() => undefined, code);
}

function code(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

const bytes = (said: string): Uint8Array => Buffer.from(said);
const text = (data: Uint8Array): string => Buffer.from(data).toString();
