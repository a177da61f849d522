import { readFileSync } from 'node:fs';
import { freePorts, until } from '@signalbox/protocol/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testFolder } from '../../lab/booted.ts';
import { Janitor } from '../../lab/janitor.ts';
import { ProcessMesh } from '../../lab/mesh.ts';
import { bareClient } from '../support/bare-client.ts';
import { workStep } from '../support/work.ts';
import type { World } from '../support/world.ts';
import { worldOfTest } from '../support/world.ts';

describe('NATS that', () => {
  it('is not there: the CLI says so with 4, and the daemons wait until it is', async () => {
    const world = await worldOfTest({ hosts: ['a-1'] });
    for (const daemon of ['a-1', 'coordinator']) await world.mesh.stop(daemon);
    await world.mesh.nats.server.stop();
    const { exitCode, stdout, stderr } = await world.signalbox(['hosts']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 4, stdout: '' });
    expect(stderr).toMatch(/^error SB-BUS-UNREACHABLE {2}/);
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);

    world.mesh.startCoordinator();
    world.mesh.startAgent('a-1');
    await until('both to say that they wait', () =>
      ['a-1', 'coordinator'].every((daemon) => world.logText(daemon).includes('NATS does not answer; trying again')),
    );
    await world.mesh.nats.restart();
    await world.online(['a-1']);
  });

  it('was there and is gone: /healthz is unwell, the CLI exits with 4, and it all comes back', async () => {
    const [port = 0] = await freePorts(1);
    const world = await worldOfTest({ hosts: ['a-1'], coordinator: { http: { port } } });
    const health = async () => (await fetch(`http://127.0.0.1:${port}/healthz`)).status;
    expect(await health()).toBe(200);
    await world.mesh.nats.server.stop();
    await until('the coordinator to notice', async () => (await health()) === 503);
    expect(await world.signalbox(['runs'])).toMatchObject({ exitCode: 4 });

    await world.mesh.nats.restart();
    await until('the coordinator to be well', async () => (await health()) === 200, { timeoutMs: 30_000 });
    await world.online(['a-1']);
    const run = await world.begin(world.runbook('again', workStep('done')));
    await world.event(run, 'Ended');
  });

  it('has no storage for the streams: the coordinator says so with 4 and does not begin', async () => {
    const janitor = new Janitor();
    onTestFinished(() => janitor.sweep());
    const mesh = await ProcessMesh.start(
      { name: 'e2e', dir: testFolder(), hosts: [{ name: 'a-1' }], maxStorageBytes: 1_000_000 },
      janitor,
    );
    expect(await mesh.endOf('coordinator')).toBe(4);
    const said = readFileSync(mesh.logFile('coordinator'), 'utf8');
    expect(said).toMatch(/^error SB-BUS-STORAGE-FULL {2}/m);
    expect(said).toContain('raise the JetStream limit');
  });

  it('has no room left for the run log: nothing begins half-way, what runs waits, and goes on when there is room', async () => {
    const world = await worldOfTest({ hosts: ['a-1'] });
    const run = await world.begin(world.runbook('waits', workStep('during', { until: 'go-on' }) + workStep('after')));
    await until('the work to begin', () => world.marks().length === 1);
    await world.event(run, 'StepAccepted', { step: 'during' });
    await boundRunLog(world, 1);

    const refused = await world.signalbox(['start', world.runbook('refused', workStep('never')), '--yes'], {
      timeoutMs: 30_000,
    });
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('SB-BUS-STREAM-FULL') });
    world.release('go-on');
    await until('the coordinator to say that it cannot write', () =>
      world.logText('coordinator').includes('the log cannot be written; trying again'),
    );
    expect(world.marks().map(({ name }) => name)).not.toContain('after');

    await boundRunLog(world, -1);
    await world.event(run, 'Ended', { timeoutMs: 30_000 });
    expect(
      world
        .marks()
        .filter(({ what }) => what === 'begin')
        .map(({ name }) => name),
    ).toEqual(['during', 'after']);
    expect((await world.operator.ask('runs', {})).runs.map((summary) => summary.run)).toEqual([run]);
  });
});

/** The stand-in for a disk that fills up: the server refuses an append as it does when it has no room; -1: no bound. */
async function boundRunLog(world: World, bytes: number): Promise<void> {
  const { url, keys } = world.mesh.nats;
  const core = await bareClient({ url, seed: keys.coordinator.seed, publicKey: keys.coordinator.publicKey });
  await (await core.jetstreamManager()).streams.update('RUN', { max_bytes: bytes });
}
