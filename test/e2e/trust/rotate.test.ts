import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyPair, keyPairFromSeed } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { talkTo } from '../../lab/child.ts';
import { type Agent, InitMesh } from '../../lab/init-mesh.ts';
import { PROGRAMS } from '../../lab/programs.ts';

/** Keys are replaced while a run goes on; what is old is good until it is withdrawn, and then worth nothing. */
const world = new InitMesh();
const { root, dir, signalbox, etc, logOf } = world;
const agentSeed = () => join(etc('a-1'), 'agent.seed');
const keyIn = (file: string) => keyPairFromSeed(readFileSync(file, 'utf8')).publicKey;
let agent: Agent;

beforeAll(async () => {
  await world.start();
  const { exitCode, stderr } = await world.joinAs('a-1', await world.enroll('a-1'));
  if (exitCode !== 0) throw new Error(stderr);
  agent = world.startAgent('a-1');
  await world.heard(agent);
});
afterAll(() => world.end());

/** A program on a-1 that ends when it is let go; one run. */
function longRun(name: string) {
  const [program, begun, go] = ['sh', 'begun', 'go'].map((end) => join(root, `${name}.${end}`)) as [
    string,
    string,
    string,
  ];
  writeFileSync(program, `#!/bin/sh\ntouch ${begun}\nuntil [ -e ${go} ]; do sleep 0.1; done\necho done\n`, {
    mode: 0o755,
  });
  const letGo = () => writeFileSync(go, '');
  const args = ['--config', world.settings, 'exec', '--hosts', 'a-1', '--effect', 'idempotent', '--', program];
  const { child, lines } = talkTo([PROGRAMS.signalbox, ...args]);
  // Whoever started it may be nobody before it has ended, and would wait for ever.
  world.janitor.adopt(`exec of ${name}`, child);
  const said: string[] = [];
  lines.on('line', (line) => said.push(line));
  const ended = once(child, 'close');
  return {
    begun: () => until(`${name} to begin`, () => existsSync(begun)),
    letGo,
    end: async () => {
      letGo();
      const [exitCode] = await ended;
      return { exitCode, stdout: said.join('\n') };
    },
  };
}

/** Changes a settings file, as its administrator does. */
function edit(file: string, change: (settings: Record<string, unknown>) => object): void {
  writeFileSync(file, stringify(change(parse(readFileSync(file, 'utf8')))), { mode: 0o600 });
}

function newSeed(file: string): string {
  const { seed, publicKey } = createKeyPair();
  writeFileSync(file, `${seed}\n`, { mode: 0o600 });
  return publicKey;
}

describe('the key of a host', () => {
  it('is replaced in the middle of a run, and withdrawn when no run was planned with it', async () => {
    const old = keyIn(agentSeed());
    const thief = readFileSync(agentSeed(), 'utf8');
    const run = longRun('host');
    await run.begun();
    const rotated = await signalbox('hosts', 'rotate', 'a-1');
    expect([rotated.exitCode, rotated.stderr]).toEqual([0, '']);
    const now = keyIn(agentSeed());
    expect([now === old, rotated.stdout.includes(now), rotated.stdout.includes(old)]).toEqual([false, true, true]);
    expect(statSync(agentSeed()).mode & 0o777).toBe(0o600);

    const early = await signalbox('hosts', 'rotate', 'a-1', '--withdraw');
    expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining('SB-ENROL-KEY')]);
    // Neither forgets it: the host when its agent starts again, the coordinator when it does.
    await agent.stop();
    agent = world.startAgent('a-1');
    await world.heard(agent);
    await world.restartCoordinator();
    expect(await run.end()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('done') });

    const withdrawn = await signalbox('hosts', 'rotate', 'a-1', '--withdraw');
    expect([withdrawn.exitCode, withdrawn.stderr]).toEqual([0, '']);
    await until('a-1 to be back with its key', async () => (await world.stateOf('a-1')) === 'online');
    const next = longRun('host-after');
    expect((await next.end()).exitCode).toBe(0);
    expect(existsSync(join(etc('a-1'), 'agent.former.seed'))).toBe(false);

    // Whoever kept the old key is nobody.
    await agent.stop();
    renameSync(agentSeed(), `${agentSeed()}.kept`);
    writeFileSync(agentSeed(), thief, { mode: 0o600 });
    const refused = world.startAgent('a-1');
    await until(
      'the old key to be refused',
      () => refused.log().includes('SB-BUS-AUTH') || refused.child.exitCode === 4,
    );
    await refused.stop();
    renameSync(`${agentSeed()}.kept`, agentSeed());
    agent = world.startAgent('a-1');
    await world.heard(agent);
  });
});

describe("a coordinator's and an operator's key", () => {
  it('are replaced in the middle of a run, host by host and person by person', async () => {
    const file = (name: string) => join(dir, 'coordinator', name);
    const [old, kept] = [keyIn(file('coordinator.seed')), file('former.seed')];
    const run = longRun('coordinator');
    await run.begun();

    renameSync(file('coordinator.seed'), kept);
    const next = newSeed(file('coordinator.seed'));
    const person = newSeed(join(dir, 'operator', 'next.seed'));
    const ayse = keyIn(join(dir, 'operator', 'ayse.seed'));
    edit(world.coordinatorFile, (settings) => ({
      ...settings,
      formerSeedFile: kept,
      operators: { ayse: { key: person, former: ayse, role: 'admin' } },
    }));
    await world.restartCoordinator();
    // Nobody has heard of the new keys yet, and everything goes on.
    await until('a-1 to be heard', async () => (await world.stateOf('a-1')) === 'online');

    edit(world.settings, (settings) => ({ ...settings, seedFile: 'next.seed', coordinators: [next, old] }));
    expect(await world.stateOf('a-1')).toBe('online');
    edit(join(etc('a-1'), 'agent.yaml'), (settings) => ({ ...settings, trust: { coordinators: [next, old] } }));
    await agent.stop();
    agent = world.startAgent('a-1');
    await world.heard(agent);

    edit(world.coordinatorFile, ({ formerSeedFile: _, ...settings }) => ({
      ...settings,
      operators: { ayse: { key: person, role: 'admin' } },
    }));
    await world.restartCoordinator();
    edit(join(etc('a-1'), 'agent.yaml'), (settings) => ({ ...settings, trust: { coordinators: [next] } }));
    await agent.stop();
    agent = world.startAgent('a-1');
    await world.heard(agent);
    run.letGo();
    await until('the run to end', async () => !(await signalbox('runs')).stdout.includes('running'));
    expect((await signalbox('runs')).stdout).not.toMatch(/held|failed|aborted/);

    edit(world.settings, (settings) => ({ ...settings, seedFile: 'ayse.seed' }));
    const { exitCode, stderr } = await signalbox('hosts');
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('SB-BUS-AUTH')]);
    expect(logOf('coordinator')).not.toContain('"level":"error"');
  });
});
