import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { sayTo } from '../lab/child.ts';
import { keeperOf } from '../lab/keepers.ts';
import { PROGRAMS } from '../lab/programs.ts';
import { workStep } from './support/work.ts';
import { type World, worldOfTest } from './support/world.ts';

/** Every begin and every end of a command that the hosts saw, once each. */
function expectOnce(world: World, commands: readonly string[]): void {
  const marks = world.marks();
  for (const what of ['begin', 'end'] as const) {
    expect(
      marks
        .filter((mark) => mark.what === what)
        .map(({ command }) => command)
        .sort(),
    ).toEqual(commands.toSorted());
  }
}

/** `signalbox events RUN --follow`, once it has shown something: later its last event's type and its exit code. */
async function followed(world: World, run: string): Promise<() => Promise<[string, number | null]>> {
  const { child, lines } = world.follow(['events', run, '--follow', '--json']);
  // Not its exit: that may come before its last line.
  const closed = once(child, 'close');
  let last = '';
  lines.on('line', (line) => {
    last = JSON.parse(line).events.at(-1).type;
  });
  await once(lines, 'line');
  return async () => {
    const [code] = await closed;
    return [last, code];
  };
}

/** A step on the first host that goes on until the test lets it, and says afterwards whether it was done. */
const long = (word: string) => `- id: long
  hosts: first
  do: exec.run
  with:
    argv: [work, long, until, ${word}]
    effect: reversible
    undo: { argv: [work, undo-long] }
    probe: { argv: [test, -e, DONE] }
`;

describe('[I8] when a process is killed with -9 in the middle of a run', () => {
  it('the coordinator starts again and the run goes on; each command was run exactly once', async () => {
    const world = await worldOfTest();
    const steps = workStep('before') + workStep('during', { until: 'go-on' }) + workStep('after');
    const run = await world.begin(world.runbook('killed', steps));
    await world.event(run, 'StepAccepted', { step: 'during' });
    await until('both hosts to be at work', () => world.marks().filter(({ name }) => name === 'during').length === 2);

    const ended = await followed(world, run);
    await world.mesh.killCoordinator();
    // What ends while nobody leads is reported when somebody does again.
    world.release('go-on');
    await until(
      'the work to end',
      () => world.marks().filter(({ name, what }) => name === 'during' && what === 'end').length === 2,
    );
    world.mesh.startCoordinator();

    // Who follows, follows through it.
    expect(await ended()).toEqual(['RunClosed', 0]);
    const all = ['before', 'during', 'after'];
    expectOnce(
      world,
      all.flatMap((step) => ['a-1', 'a-2'].map((host) => `${run}:${step}:${host}:do:1`)),
    );
    const led = (await world.log(run)).flatMap(({ events }) => events.filter(({ type }) => type === 'Led'));
    expect(led).toHaveLength(2);
  });

  it('what was acknowledged to an operator is still there when the coordinator is back', async () => {
    const world = await worldOfTest({ hosts: ['a-1'] });
    const run = await world.begin(world.runbook('promised', '- id: go\n  approve: { count: 2 }\n'));
    await world.event(run, 'StepStarted', { step: 'go' });
    expect((await world.signalbox(['approve', run, 'go', '--note', 'said before the end'])).exitCode).toBe(0);
    await world.mesh.killCoordinator();
    world.mesh.startCoordinator();
    const events = await until('a coordinator to answer', async () => {
      const said = await world.signalbox(['events', run]);
      return said.exitCode === 0 && said.stdout;
    });
    expect(events).toContain('said before the end');
  });

  it('[I5] the agent starts again and the probe decides what became of its step', async () => {
    const world = await worldOfTest({ hosts: ['a-1'] });
    const text = long('never').replace('DONE', world.file('done')) + workStep('after', { role: 'first' });
    const run = await world.begin(world.runbook('agent', text));
    await until('the work to begin', () => world.marks().length === 1);
    await world.mesh.kill('a-1');
    // The process goes on without its agent; it ends, and what it was for is done.
    world.release('done');
    world.release('never');
    await until('the work to end', () => world.marks().length === 2);
    world.mesh.startAgent('a-1');

    expect(await world.signalbox(['wait', run, '--for', 'done', '--timeout', '40s'])).toMatchObject({ exitCode: 0 });
    expectOnce(world, [`${run}:long:a-1:do:1`, `${run}:after:a-1:do:1`]);
  });

  it('[I5] a step that its probe proves was not done is tried anew, under another id', async () => {
    const world = await worldOfTest({ hosts: ['a-1'] });
    const text = workStep('before', { role: 'first' }) + long('never').replace('DONE', world.file('not-there'));
    const run = await world.begin(world.runbook('not-done', text));
    await until('the work to begin', () => world.marks().some(({ name }) => name === 'long'));
    await world.mesh.kill('a-1');
    // With the keeper goes the exit of what it has started: now only the probe can tell.
    const stateDir = join(world.mesh.dir, 'state', 'a-1');
    process.kill(keeperOf(stateDir) ?? Number.NaN, 'SIGKILL');
    await until('the keeper to be gone', () => keeperOf(stateDir) === undefined);
    world.release('never');
    await until('the work to end', () => world.marks().some(({ name, what }) => name === 'long' && what === 'end'));
    world.mesh.startAgent('a-1');
    expect(await world.signalbox(['wait', run, '--for', 'done', '--timeout', '40s'])).toMatchObject({ exitCode: 0 });
    expectOnce(world, [`${run}:before:a-1:do:1`, `${run}:long:a-1:do:1`, `${run}:long:a-1:do:2`]);
    await world.event(run, 'StepReset', { step: 'long' });
  });

  it('[I11] NATS, which stays away for longer than a host may be silent: what runs is kept, nothing is guessed, all goes on', async () => {
    const world = await worldOfTest();
    const steps = workStep('during', { until: 'go-on' }) + workStep('after');
    const run = await world.begin(world.runbook('nats', steps));
    await until('both hosts to be at work', () => world.marks().length === 2);
    const ended = await followed(world, run);
    process.kill(world.mesh.nats.server.pid, 'SIGKILL');
    await world.mesh.nats.server.ended;
    world.release('go-on');
    await until('the work to end', () => world.marks().filter(({ what }) => what === 'end').length === 2);

    // Each try waits 5 s for a connection.
    const tries = (host: string) => world.logText(host).split('report not published, kept in the journal').length - 1;
    const both = ['a-1', 'a-2'];
    await until('two tries of each host', () => both.every((host) => tries(host) >= 2), { timeoutMs: 40_000 });
    for (const host of both) {
      const stateDir = join(world.mesh.dir, 'state', host);
      const { stdout } = await sayTo([PROGRAMS.agent, 'journal', '--state', stateDir, '--run', run]);
      expect(stdout).toMatch(/OWED +\d+ reports? (is|are) not in the stream yet/);
    }
    expect(world.marks().map(({ name }) => name)).not.toContain('after');
    await world.mesh.nats.restart();

    expect(await ended()).toEqual(['RunClosed', 0]);
    expectOnce(
      world,
      ['during', 'after'].flatMap((step) => both.map((host) => `${run}:${step}:${host}:do:1`)),
    );
  });
});

describe('[I11] when a host falls silent in the middle of a step', () => {
  it('the run is held and says why and what can be done; when the host is back it goes on by itself', async () => {
    const world = await worldOfTest();
    const run = await world.begin(world.runbook('silent', workStep('during', { until: 'go-on' }) + workStep('after')));
    await until('both hosts to be at work', () => world.marks().length === 2);
    const pid = world.mesh.pidOf('a-2');
    process.kill(pid, 'SIGSTOP');
    const waited = await world.signalbox(['wait', run, '--for', 'held', '--timeout', '40s']);
    expect(waited).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 3 });

    const { stdout } = await world.signalbox(['status', run, '--why']);
    expect(stdout).toContain('HELD');
    expect(stdout).toContain('a-2 has not answered since');
    expect(stdout).toContain('Outcome UNKNOWN [SB-AGENT-SILENT]');
    expect(stdout).toContain('It will not be run again blindly.');
    expect(stdout).toContain('WHEN a-2 IS BACK the probe decides by itself');
    expect(stdout).toContain(`signalbox resolve ${run} during --host a-2 --as succeeded`);
    expect(stdout).toContain(`signalbox abort ${run} --undo --dry-run`);

    process.kill(pid, 'SIGCONT');
    await world.event(run, 'HostBack', { timeoutMs: 40_000 });
    const back = await world.signalbox(['status', run]);
    expect(back.stdout).toMatch(/a-2 had not answered since \S+ while it ran; it is back since /);
    expect(back.stdout).toContain('a-2 is still at during');
    expect(back.stdout).toMatch(
      /^a-2 IS BACK: what it says by \S+ decides by itself and the run goes on\. No command/m,
    );

    world.release('go-on');
    await world.event(run, 'Ended', { timeoutMs: 40_000 });
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
    expectOnce(
      world,
      ['during', 'after'].flatMap((step) => ['a-1', 'a-2'].map((host) => `${run}:${step}:${host}:do:1`)),
    );
  });
});
