import type { Crossing, Report } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { settled } from '../testing/manual-clock.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { type SmallWorld, smallWorld } from '../testing/small-world.ts';

const GUARD = {
  step: 'quiet',
  probe: 'test.probe',
  with: {},
  until: { value: { still: true } },
  seed: { value: 1 },
  everyMs: 1_000,
};

const votesOf = (world: SmallWorld) => world.reports().filter((report) => report.type === 'vote');
const saidBy = (world: SmallWorld) => votesOf(world).map(({ round, vote }) => `${round} ${vote}`);
const codesOf = (world: SmallWorld) =>
  world.reports().flatMap((report) => (report.type === 'refused' ? [report.failure.code] : []));

async function ask(world: SmallWorld, round = 1, change: Record<string, unknown> = {}) {
  const body = { step: 'point', round, roundNonce: `n1.${round}`, validMs: 30_000, guards: [GUARD], ...change };
  return await world.control({ type: 'vote', id: `vote-${round}`, ...body });
}

/** The command that a point of no return was crossed for. */
function effect(world: SmallWorld, change: Parameters<SmallWorld['command']>[0] = {}) {
  const [given] = votesOf(world);
  const votes = [{ host: 'h1', journalSequence: given?.journalSequence ?? 0 }];
  const crossing: Crossing = { step: 'point', round: 1, roundNonce: 'n1.1', votes };
  return world.command({ step: 'released', crossing, critical: ['crossing'], ...change });
}

async function restarted({ storage, clock, keys }: SmallWorld): Promise<SmallWorld> {
  return await smallWorld({ storage: memoryStorage(storage.onDisk()), clock, keys });
}

describe('[D4] a vote', () => {
  it('is yes when every guard holds on a sample taken for it, and is on disk before anybody is told', async () => {
    const world = await smallWorld();
    const asked = await ask(world);
    expect(votesOf(world)).toMatchObject([
      { step: 'point', roundNonce: 'n1.1', vote: 'yes', evidence: [{ step: 'quiet', values: { value: 1 } }] },
    ]);
    expect(asked.verdict).toBe('acked');
    const again = await restarted(world);
    expect(again.journal.state.runs.get('run-1')?.vote?.record.vote).toBe('yes');
  });

  it('is no when what a guard counts has moved since the gate was met, or cannot be measured [I11]', async () => {
    const world = await smallWorld();
    world.measured = { value: 2 };
    await ask(world);
    await ask(world, 2, { guards: [{ ...GUARD, with: { fail: 'no answer' } }] });
    await ask(world, 3, { guards: [{ ...GUARD, probe: 'no.such' }] });
    expect(saidBy(world)).toEqual(['1 no', '2 no', '3 no']);
    expect(votesOf(world)[0]).toMatchObject({ evidence: [{ why: 'value 2, want still' }] });
  });

  it('is the same when it is asked for twice', async () => {
    const world = await smallWorld();
    await ask(world);
    world.measured = { value: 2 };
    await ask(world);
    const [first, second] = votesOf(world);
    expect(second).toEqual(first);
  });

  it('[I8] is not given for another round of the same number: the log has lost the one that it was given in', async () => {
    const world = await smallWorld();
    await ask(world);
    const other = await ask(world, 1, { id: 'vote-1-again', roundNonce: 'n2.1' });
    expect(votesOf(world)[1]).toMatchObject({ roundNonce: 'n2.1', vote: 'no', why: 'this round is over' });
    expect(other.verdict).toBe('acked');
  });

  it('is not given any more when its round was released before it was asked for', async () => {
    const world = await smallWorld();
    await world.control({ type: 'release', id: 'r', round: 1 });
    await ask(world);
    expect(votesOf(world)).toMatchObject([{ vote: 'no', why: 'this round is over' }]);
  });

  it('[I6] is not given to a leader that another one has followed', async () => {
    const world = await smallWorld();
    await world.control({ type: 'fence', id: 'f', epoch: 2, nonce: 'n2' });
    expect([(await ask(world)).verdict, saidBy(world)]).toEqual(['terminated', []]);
  });

  it('is taken back when a guard breaks while it can be relied on, and watched no longer after that', async () => {
    const world = await smallWorld();
    await ask(world);
    await world.clock.advance(5_000);
    world.measured = { value: 2 };
    await world.clock.advance(5_000);
    expect(saidBy(world)).toEqual(['1 yes', '1 no']);
    const late = await smallWorld();
    await ask(late);
    await late.clock.advance(31_000);
    late.measured = { value: 2 };
    await late.clock.advance(31_000);
    expect(saidBy(late)).toEqual(['1 yes']);
  });

  it('is taken back by an agent that went down: nobody has watched meanwhile', async () => {
    const world = await smallWorld();
    await ask(world);
    const again = await restarted(world);
    expect(votesOf(again).at(-1)).toMatchObject({ vote: 'no', why: expect.stringContaining('went down') });
  });
});

describe('[D4] who has voted', () => {
  const undo = (world: SmallWorld) => world.command({ step: 'a', direction: 'undo' });

  it('undoes nothing until it is released, also over a restart', async () => {
    const world = await smallWorld();
    await world.give(world.command({ step: 'a' }));
    await ask(world);
    const again = await restarted(world);
    const waiting = await again.give(undo(again));
    expect([waiting.verdict, again.runs()]).toEqual(['none', []]);
    await again.control({ type: 'release', id: 'r', round: 1 });
    await settled();
    expect([waiting.verdict, again.runs().map(({ what }) => what)]).toEqual(['acked', ['undo']]);
  });

  it('refuses the undo for now when nobody releases it', async () => {
    const world = await smallWorld();
    await ask(world);
    await world.give(undo(world));
    await world.clock.advance(11_000);
    expect(codesOf(world)).toEqual(['SB-AGENT-VOTED']);
  });

  it('is not released by what is about an earlier round', async () => {
    const world = await smallWorld();
    await ask(world, 2);
    await world.control({ type: 'release', id: 'r1', round: 1 });
    await world.give(undo(world));
    expect(world.runs()).toEqual([]);
  });
});

describe('[I3] behind a crossing', () => {
  it.each([
    ['a seal', (world: SmallWorld) => world.control({ type: 'seal', id: 's', step: 'point', round: 1 })],
    ['what it was crossed for', (world: SmallWorld) => world.give(effect(world))],
  ])('%s keeps everything from being undone, over a restart', async (_, happens) => {
    const world = await smallWorld();
    await ask(world);
    await happens(world);
    const again = await restarted(world);
    await again.give(again.command({ step: 'a', direction: 'undo' }));
    expect(codesOf(again)).toEqual(['SB-AGENT-SEALED']);
    expect(again.runs()).toEqual([]);
  });
});

describe('[D4] what a point of no return was crossed for', () => {
  it('is looked at once more: a writer that is back between vote and effect is caught, and nothing is done', async () => {
    const world = await smallWorld();
    await ask(world);
    world.measured = { value: 2 };
    await world.give(effect(world));
    expect(world.runs()).toEqual([]);
    expect(world.reports().filter((report) => report.type === 'refused')).toMatchObject([
      { failure: { code: 'SB-AGENT-GUARD', class: 'terminal', message: 'quiet: value 2, want still' } },
    ]);
  });

  it('may be asked again when nobody could look: a server that is restarted is no writer that came back', async () => {
    const world = await smallWorld();
    await ask(world, 1, { guards: [GUARD, { ...GUARD, step: 'beside' }] });
    world.measured = new Error('no answer');
    await world.give(effect(world));
    world.measured = { value: 1 };
    await world.give(effect(world, { attempt: 2 }));
    expect(world.reports().filter((report) => report.type === 'refused')).toMatchObject([
      { failure: { code: 'SB-AGENT-GUARD-UNSEEN', class: 'retryable', message: expect.stringContaining('no answer') } },
    ]);
    expect(world.runs()).toHaveLength(1);
  });

  it('begins when its guards hold; what follows on this host does not look for what the first has changed', async () => {
    const world = await smallWorld();
    await ask(world);
    await world.give(effect(world));
    world.measured = { value: 2 };
    await world.give(effect(world, { step: 'beside' }));
    expect(world.runs()).toHaveLength(2);
  });

  it('looks again when the attempt before is proven to have done nothing', async () => {
    const world = await smallWorld();
    await ask(world);
    world.holdRuns = true;
    await world.give(effect(world));
    const again = await smallWorld({
      storage: memoryStorage(world.storage.onDisk()),
      clock: world.clock,
      keys: world.keys,
      applied: 'not-applied',
    });
    await again.clock.advance(2_000);
    again.measured = { value: 2 };
    const crossing = effect(world).crossing;
    if (!crossing) throw new Error('no crossing');
    await again.give(again.command({ step: 'released', attempt: 2, crossing, critical: ['crossing'] }));
    expect([codesOf(again), again.runs()]).toEqual([['SB-AGENT-GUARD'], []]);
  });

  it.each<[string, (crossing: Crossing) => Partial<Crossing>]>([
    ['another place in the journal', () => ({ votes: [{ host: 'h1', journalSequence: 1 }] })],
    ['another round', () => ({ roundNonce: 'n0.1' })],
  ])('is refused when it names a vote that this host has not given: %s', async (_, change) => {
    const world = await smallWorld();
    await ask(world);
    const command = effect(world);
    if (!command.crossing) throw new Error('no crossing');
    await world.give({ ...command, crossing: { ...command.crossing, ...change(command.crossing) } });
    expect([codesOf(world), world.runs()]).toEqual([['SB-AGENT-VOTE'], []]);
  });

  it('begins on a host that had no vote, because it has no part in the crossing', async () => {
    const world = await smallWorld();
    const crossing: Crossing = { step: 'p', round: 1, roundNonce: 'n', votes: [{ host: 'h2', journalSequence: 3 }] };
    await world.give(world.command({ step: 'released', crossing, critical: ['crossing'] }));
    expect(world.runs()).toHaveLength(1);
  });
});

it('a vote is reported with where it stands in the journal', async () => {
  const world = await smallWorld();
  await ask(world);
  const [given] = votesOf(world) as Extract<Report, { type: 'vote' }>[];
  expect(given?.journalSequence).toBe(world.journal.state.runs.get('run-1')?.vote?.record.n);
});
