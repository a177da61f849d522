import { readFileSync } from 'node:fs';
import { accounts, meshUsers } from '@signalbox/bus';
import { inOperatorMode } from '@signalbox/bus/testing';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workStep } from '../support/work.ts';
import { MESH, World } from '../support/world.ts';

/** What that NATS lets each user do: packages/bus/src/accounts.int.test.ts. Here, that all of Signalbox finds its way in. */
let world: World;
let jwtOf: (publicKey: string) => string | undefined;

beforeAll(async () => {
  const keys = {
    coordinator: createKeyPair(),
    agents: { 'a-1': createKeyPair(), 'a-2': createKeyPair() },
    operators: { operator: createKeyPair() },
    monitor: createKeyPair(),
  };
  const { adapt, ...company } = await inOperatorMode(accounts(MESH, meshUsers(keys)));
  jwtOf = company.jwtOf;
  // The agent as in the package: the JWT goes to a process that has no file of its own.
  world = await World.start({ known: { nats: { keys, adapt }, jwtOf }, messenger: true });
});
afterAll(() => world?.end());

describe('a NATS of a company, by operator and JWT', () => {
  it('carries a run to its end, with its approval, its output and its record', async () => {
    const steps = `${workStep('one')}- id: agreed\n  approve: { count: 1 }\n${workStep('two')}`;
    const run = await world.begin(world.runbook('carried', steps));
    await world.event(run, 'StepStarted', { step: 'agreed' });
    expect(await world.signalbox(['approve', run, 'agreed'])).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['wait', run, '--for', 'done'])).toMatchObject({ exitCode: 0 });
    expect(world.marks().filter(({ what }) => what === 'end')).toHaveLength(4);
    expect((await world.signalbox(['logs', run])).stdout).toContain('two was here');
    const file = world.file('carried.bundle');
    expect(await world.signalbox(['report', run, '--export', file])).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['verify', file])).toMatchObject({ exitCode: 0 });
    expect(await world.signalbox(['doctor'])).toMatchObject({ exitCode: 0 });
  });

  it('finds all of them again when it is restarted, and a coordinator that follows', async () => {
    await world.mesh.nats.restart();
    await world.mesh.killCoordinator();
    world.mesh.startCoordinator();
    await world.online(['a-1', 'a-2']);
    const again = ['exec', '--hosts', 'role=box', '--effect', 'read', '--', 'work', 'again'];
    expect(await world.signalbox(again)).toMatchObject({ exitCode: 0 });
  });

  it('lets nobody in with the JWT of somebody else', async () => {
    const stolen = { ...settings(), jwtFile: world.mesh.etc('a-1.jwt') };
    const file = world.mesh.write('stolen.yaml', stolen);
    expect(readFileSync(world.mesh.etc('a-1.jwt'), 'utf8').trim()).toBe(
      jwtOf(world.mesh.nats.agentKey('a-1').publicKey),
    );
    expect(await world.signalbox(['--config', file, 'hosts'])).toMatchObject({
      exitCode: 4,
      stderr: expect.stringContaining('SB-BUS-AUTH'),
    });
  });
});

function settings(): object {
  const { nats, name } = world.mesh;
  return {
    ...{ mesh: name, servers: [nats.url], operator: 'operator', seedFile: world.mesh.etc('operator.seed') },
    coordinators: [nats.keys.coordinator.publicKey],
  };
}
