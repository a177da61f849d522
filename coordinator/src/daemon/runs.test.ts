import { randomUUID } from 'node:crypto';
import { busError } from '@signalbox/bus';
import { SignalboxError } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { settle } from '../testing/manual-clock.ts';
import { action, gate, OPERATOR, World } from '../testing/world.ts';
import { coordinatorError } from './codes.ts';
import { diagnoseMesh } from './doctor.ts';

const done = { status: 'succeeded', receipt: {} } as const;

async function started(world: World, ...steps: ReturnType<typeof action>[]) {
  const { run } = await world.runs.create(JSON.stringify(world.plan(steps)), { by: OPERATOR, start: randomUUID() });
  const runner = await world.runs.led(run);
  await settle();
  return runner;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  return error instanceof SignalboxError ? error.code : 'no coded error';
}

describe('a coordinator', () => {
  it('runs a plan from start to end, and each command is on the bus once', async () => {
    const world = new World(['a', 'b']);
    const runner = await started(world, action('one', ['a', 'b']), action('two', ['a']));
    expect(world.commands().map((c) => c.id)).toEqual(['book-1:one:a:do:1', 'book-1:one:b:do:1']);
    for (const command of world.commands()) expect(await world.report(command, done)).toBe(true);
    await settle();
    const [, , two] = world.commands();
    if (!two) throw new Error('step two was not sent');
    await world.report(two, done);
    expect(runner.state.status).toBe('completed');
    expect(world.commands()).toHaveLength(3);
  });

  it('gives runs that are started at once ids of their own', async () => {
    const world = new World(['a']);
    const runners = await Promise.all([1, 2, 3].map(() => started(world, action('one', ['a']))));
    expect(runners.map((runner) => runner.run).sort()).toEqual(['book-1', 'book-2', 'book-3']);
  });

  it('[I8] goes on from the log alone after a crash, with the same ids and bodies', async () => {
    const world = new World(['a']);
    await started(world, action('one', ['a']), action('two', ['a']));
    const [before] = world.commands();
    await world.restart();
    const [, after] = world.commands();
    expect(after).toMatchObject({ id: before?.id, with: before?.with, notAfterMs: before?.notAfterMs });
    expect(after?.epoch).toBe((before?.epoch ?? 0) + 1);
    const fences = [before, after].map((command) => `book-1-${command?.epoch}-${command?.nonce}-fence`);
    expect(world.bus.controls.map((c) => c.id)).toEqual(fences);
  });

  it('[I6] stops leading when somebody else has written into the log', async () => {
    const world = new World(['a']);
    const runner = await started(world, action('one', ['a']), action('two', ['a']));
    const [command] = world.commands();
    await world.restart();
    if (!command) throw new Error('nothing was sent');
    expect(await codeOf(runner.submit({ type: 'note', by: OPERATOR, text: 'still me' }))).toBe('SB-COORD-DEPOSED');
    const sent = world.commands().length;
    expect(await codeOf(runner.submit({ type: 'tick' }))).toBe('SB-COORD-DEPOSED');
    expect(world.commands()).toHaveLength(sent);
  });

  it('[I11] does not believe a report with another key, journal or run, and nothing happens', async () => {
    const world = new World(['a', 'b']);
    const runner = await started(world, action('one', ['a']));
    const [command] = world.commands();
    if (!command) throw new Error('nothing was sent');
    await world.report(command, done, { journal: 'j-reinstalled' });
    await world.report(command, done, { run: 'book-2' });
    await world.report({ ...command, host: 'b' }, done);
    expect(runner.state.status).toBe('running');
    await world.report(command, done);
    expect(runner.state.status).toBe('completed');
  });

  it('[I8] acknowledges a report only after the log has it', async () => {
    const world = new World(['a']);
    const runner = await started(world, action('one', ['a']));
    const [command] = world.commands();
    if (!command) throw new Error('nothing was sent');
    world.bus.appendErrors.push(coordinatorError('SB-COORD-NOT-LED', 'the bus is away'));
    const acked = world.report(command, done);
    await settle();
    expect(runner.state.status).toBe('running');
    await world.clock.advance(1_000);
    expect(await acked).toBe(true);
    expect(runner.state.status).toBe('completed');
  });

  it('leads a run whose creation the bus could not confirm at first: it may be in the log', async () => {
    const world = new World(['a']);
    world.bus.appendErrors.push(busError('SB-BUS-TIMEOUT', 'no answer'), busError('SB-BUS-OFFLINE', 'no connection'));
    const created = started(world, action('one', ['a']));
    await world.clock.advance(2_000);
    await created;
    expect(world.runs.leading).toEqual(['book-1']);
  });

  it('begins no run when the bus has refused its creation', async () => {
    const world = new World(['a']);
    world.bus.appendErrors.push(busError('SB-BUS-STORAGE-FULL', 'no room'));
    expect(await codeOf(started(world, action('one', ['a'])))).toBe('SB-BUS-STORAGE-FULL');
    await world.clock.advance(10_000);
    expect([world.runs.leading, world.bus.logs.size]).toEqual([[], 0]);
  });

  it('reads the reports of a run as soon as the bus gives them', async () => {
    const world = new World(['a']);
    const { reports } = world.bus;
    world.bus.reports = async () => {
      world.bus.reports = reports;
      throw busError('SB-BUS-OFFLINE', 'no connection');
    };
    const runner = await started(world, action('one', ['a']));
    await world.clock.advance(5_000);
    const [command] = world.commands();
    if (!command) throw new Error('nothing was sent');
    expect(await world.report(command, done)).toBe(true);
    expect(runner.state.status).toBe('completed');
  });

  it('refuses a log whose chain is broken, names it, and leads the others [D5]', async () => {
    const world = new World(['a']);
    await started(world, action('one', ['a']));
    await started(world, action('one', ['a']));
    const log = world.bus.logs.get('book-1') ?? [];
    const [first] = log;
    if (!first) throw new Error('no log');
    world.bus.logs.set('book-1', [
      { ...first, data: Buffer.from(first.data.toString().replace('"ayse"', '"eve"')) },
      ...log.slice(1),
      ...log.slice(0, 1),
    ]);
    await world.restart();
    expect([...world.runs.notLed.keys()]).toEqual(['book-1']);
    expect(world.runs.leading).toEqual(['book-2']);
  });

  it('[D5] leaves alone a run with an event that it does not know, and says so', async () => {
    const world = new World(['a']);
    await started(world, action('one', ['a']));
    const log = world.bus.logs.get('book-1') ?? [];
    const last = log.at(-1);
    if (!last) throw new Error('no log');
    const entry = { ...JSON.parse(last.data.toString()), index: log.length, previous: sha256(last.data) };
    const strange = { ...entry, events: [{ type: 'StepTeleported', step: 'one' }] };
    world.bus.logs.set('book-1', [...log, { sequence: last.sequence + 1, data: Buffer.from(JSON.stringify(strange)) }]);
    await world.restart();
    expect(world.runs.leading).toEqual([]);
    const findings = await diagnoseMesh(world);
    expect(findings.find(({ what }) => what === 'runs')).toMatchObject({
      ok: false,
      detail: expect.stringContaining(
        'entry 1 of book-1 has an event StepTeleported, which a newer version has written',
      ),
    });
    expect(world.bus.logs.get('book-1')).toHaveLength(2);
  });

  it('meets a gate on unbroken fresh samples, not on the first good one', async () => {
    const world = new World(['a']);
    let value = 0;
    world.answer(() => ({ value }));
    const runner = await started(world, gate('wait', 'a'));
    await world.clock.advance(2_500);
    value = 1;
    await world.clock.advance(2_900);
    expect(runner.state.status).toBe('running');
    await world.clock.advance(1_500);
    expect(runner.state.status).toBe('completed');
  });

  it('[I11] a silent host meets no gate', async () => {
    const world = new World(['a']);
    const runner = await started(world, gate('wait', 'a'));
    await world.clock.advance(59_000);
    expect(runner.state.status).toBe('running');
    await world.clock.advance(2_000);
    expect(runner.state.status).toBe('held');
    expect(runner.state.reasons[0]?.failure.code).toBe('SB-GATE-TIMEOUT');
  });
});
