import { randomUUID } from 'node:crypto';
import { type Command, type Control, type Report, SignalboxError } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { settle } from '../testing/manual-clock.ts';
import { action, OPERATOR, World } from '../testing/world.ts';
import type { Runner } from './runner.ts';

const ANSWER_MS = 10_000;

/** A run of steps one and two on two hosts, whose coordinator has just been started again. */
async function takenOver(world: World, before: (first: Command[]) => Promise<void> = async () => {}): Promise<Runner> {
  const plan = JSON.stringify(world.plan([action('one', ['a', 'b']), action('two', ['a'])]));
  const { run } = await world.runs.create(plan, { by: OPERATOR, start: randomUUID() });
  await settle();
  await before(world.commands());
  world.bus.commands.length = 0;
  await world.restart();
  return await world.runs.led(run);
}

const reasonsOf = ({ state }: Runner) => state.reasons.map(({ host, failure }) => [host, failure.code]);

describe('[D3] a new leader', () => {
  it('asks nothing of any host before all have said what they know', async () => {
    const world = new World(['a', 'b']);
    const answers = new Map<string, () => void>();
    world.fenceAnswer = ({ host }) => {
      answers.set(host, () => {});
      return host === 'a' ? { known: ['book-1:one:a:do:1'] } : undefined;
    };
    const runner = await takenOver(world);
    await world.clock.advance(ANSWER_MS - 100);
    expect([[...answers.keys()], world.bus.commands, runner.state.silent.size]).toEqual([['a', 'b'], [], 0]);
    await world.clock.advance(200);
    expect([...runner.state.silent]).toEqual(['b']);
    expect(reasonsOf(runner)).toEqual([['b', 'SB-AGENT-SILENT']]);
    expect(world.commands().map(({ id }) => id)).toEqual(['book-1:one:a:do:1']);
  });

  it('brings the run to no end by what one host has done, before the others have said what they know', async () => {
    const world = new World(['a', 'b']);
    world.fenceAnswer = ({ host }) => (host === 'a' ? { known: ['book-1:one:a:do:1'] } : undefined);
    let first: Command | undefined;
    const runner = await takenOver(world, async (commands) => {
      first = commands.find(({ host }) => host === 'a');
    });
    if (!first) throw new Error('nothing was sent');
    const phase = () => runner.state.cells.get('one@a')?.phase;
    await world.report(first, { status: 'succeeded' });
    expect(phase()).toBe('dispatched');
    await world.clock.advance(ANSWER_MS);
    expect([phase(), [...runner.state.silent]]).toEqual(['succeeded', ['b']]);
  });

  it('[I11] takes a person’s word for a step when the hosts have said what they know, and not before', async () => {
    const world = new World(['a', 'b']);
    world.fenceAnswer = ({ host }) => (host === 'a' ? { known: ['book-1:one:a:do:1'] } : undefined);
    let first: Command | undefined;
    const runner = await takenOver(world, async (commands) => {
      first = commands.find(({ host }) => host === 'a');
      await world.runs.led('book-1').then((led) => led.submit({ type: 'silent', host: 'a', lastSeenAtMs: undefined }));
    });
    if (!first) throw new Error('nothing was sent');
    const phase = () => runner.state.cells.get('one@a')?.phase;
    expect(phase()).toBe('unknown');
    await world.report(first, { status: 'succeeded' });
    const said = runner.submit({
      type: 'resolve',
      as: 'not-done',
      step: 'one',
      host: 'a',
      by: OPERATOR,
      note: 'looked',
    });
    const answered = said.then(
      () => 'taken',
      (error: unknown) => (error instanceof SignalboxError ? error.code : String(error)),
    );
    await settle();
    expect(phase()).toBe('unknown');
    await world.clock.advance(ANSWER_MS);
    expect([phase(), await answered]).toEqual(['succeeded', 'SB-RUN-STATE']);
  });

  it('goes on when all have answered with what the log has', async () => {
    const world = new World(['a', 'b']);
    world.fenceAnswer = ({ host }) => ({ known: [`book-1:one:${host}:do:1`] });
    const runner = await takenOver(world);
    expect([runner.state.status, world.bus.commands.length]).toEqual(['running', 2]);
  });

  it('[I8] holds when a host knows of a command that the log has not', async () => {
    const world = new World(['a', 'b']);
    world.fenceAnswer = ({ host }) => ({ known: host === 'a' ? ['book-1:two:a:do:1'] : [] });
    const runner = await takenOver(world);
    expect(reasonsOf(runner)).toEqual([['a', 'SB-RUN-CONTRADICTED']]);
    expect(runner.state.reasons[0]?.failure.message).toContain('book-1:two:a:do:1');
    await runner.submit({ type: 'resume', by: OPERATOR, note: 'compared' });
    expect(runner.state.status).toBe('running');
  });

  it('[I8] holds when a host was told of an entry that the log has not', async () => {
    const world = new World(['a', 'b']);
    world.fenceAnswer = ({ host, head }) => ({
      known: [],
      seen: { epoch: 1, head: host === 'a' ? head : { sequence: head.sequence, hash: 'another' } },
    });
    expect(reasonsOf(await takenOver(world))).toEqual([['b', 'SB-RUN-CONTRADICTED']]);
  });

  it('[I6] leads above a host that obeys a higher epoch, and holds because the log does not know of it', async () => {
    const world = new World(['a', 'b']);
    const head = { sequence: 99, hash: 'lost' };
    const failure = { code: 'SB-AGENT-EPOCH', class: 'retryable' as const, message: 'old', next: '-' };
    const runner = await takenOver(world, async () => {
      world.fenceAnswer = ({ host, epoch }) =>
        host === 'b' ? { known: [] } : { known: [], seen: { epoch: 7, head }, ...(epoch < 8 ? { failure } : {}) };
    });
    expect([runner.state.epoch, reasonsOf(runner)]).toEqual([8, [['a', 'SB-RUN-CONTRADICTED']]]);
    expect(world.commands()).toEqual([]);
  });

  it('[I8] holds for what a host has told it in an epoch that it has left since', async () => {
    const world = new World(['a', 'b']);
    const failure = { code: 'SB-AGENT-EPOCH', class: 'retryable' as const, message: 'old', next: '-' };
    const late: Control[] = [];
    const runner = await takenOver(world, async () => {
      world.fenceAnswer = (control) => {
        const { host, epoch, head } = control;
        if (epoch >= 8) return { known: [], seen: { epoch, head } };
        if (host === 'a') return { known: [], seen: { epoch: 7, head }, failure };
        late.push(control);
        return undefined;
      };
    });
    expect([runner.state.epoch, reasonsOf(runner)]).toEqual([8, []]);
    const head = { sequence: 99, hash: 'lost' };
    for (const control of late) await world.answerFence(control, { known: [], seen: { epoch: 1, head } });
    expect(reasonsOf(runner)).toEqual([['b', 'SB-RUN-CONTRADICTED']]);
  });

  it('fetches what a host has ended and the log does not know', async () => {
    const world = new World(['a', 'b']);
    let ended: Command[] = [];
    world.fenceAnswer = ({ host }) => ({ known: [`book-1:one:${host}:do:1`] });
    world.settled = (ids) => ended.filter(({ id }) => ids.includes(id)).map((command) => world.outcomeOf(command));
    const runner = await takenOver(world, async (first) => {
      ended = first;
    });
    await settle();
    expect(runner.state.cells.get('one@a')?.phase).toBe('succeeded');
    expect(world.commands().map(({ id }) => id)).toEqual(['book-1:two:a:do:1']);
  });
});

it('[I8] a leader that is refused for a later one, of which its log has nothing, holds the run', async () => {
  const world = new World(['a', 'b']);
  const runner = await takenOver(world);
  const [command] = world.commands();
  if (!command) throw new Error('nothing was sent');
  const failure = { code: 'SB-AGENT-EPOCH', class: 'retryable' as const, message: 'epoch 2 after 5', next: '-' };
  const refused = { type: 'refused', failure } as Partial<Report>;
  await world.report(command, { status: 'succeeded' }, { ...refused, epoch: 1 });
  expect(reasonsOf(runner)).toEqual([]);
  await world.report(command, { status: 'succeeded' }, refused);
  expect(reasonsOf(runner)).toEqual([['a', 'SB-RUN-CONTRADICTED']]);
});

it('[I8] a run of which nothing is left, and that is begun again, is held for what hosts know of it', async () => {
  const world = new World(['a', 'b']);
  const seen = { epoch: 1, head: { sequence: 4, hash: 'lost' } };
  const failure = { code: 'SB-AGENT-NONCE', class: 'terminal' as const, message: 'another leader', next: '-' };
  world.fenceAnswer = ({ host, epoch }) => ({
    known: [],
    ...(host === 'b' ? { seen, ...(epoch < 2 ? { failure } : {}) } : {}),
  });
  const plan = JSON.stringify(world.plan([action('one', ['a', 'b'])]));
  const { run } = await world.runs.create(plan, { by: OPERATOR, start: randomUUID() });
  await settle();
  const runner = await world.runs.led(run);
  expect([runner.state.epoch, reasonsOf(runner)]).toEqual([2, [['b', 'SB-RUN-CONTRADICTED']]]);
  expect(world.commands().filter(({ epoch }) => epoch === 2)).toEqual([]);
});

it('[I8] storage that comes back with less than it had is noticed by whoever leads, though nothing happens', async () => {
  const world = new World(['a', 'b']);
  const runner = await takenOver(world);
  const log = world.bus.logs.get(runner.run) ?? [];
  world.bus.reconnect();
  await settle();
  expect(await world.runs.led(runner.run)).toBe(runner);
  world.bus.logs.set(runner.run, log.slice(0, -1));
  world.bus.reconnect();
  await settle();
  await expect(world.runs.led(runner.run)).rejects.toThrow('is not led here');
});
