import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { World } from '../support/world.ts';

const SECRET = 'corr3ct horse: battery';

describe('[I9] a secret that is sealed to a host', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ hosts: ['a-1', 'a-2'] });
    writeFileSync(world.file('service.env'), 'MODE=on\n', { mode: 0o600 });
  });
  afterAll(() => world.end());

  const seal = (args: string[], input = `${SECRET}\n`) => world.signalbox(['seal', ...args], { input });
  const keyOf = (host: string) => world.mesh.nats.agentKey(host).publicKey;
  const STEP =
    '- id: password\n  hosts: first\n  do: env.change\n  with: { file: "${params.file}", secrets: { PASSWORD: "${params.password}" } }\n';
  const PARAMS = 'params:\n  file: { type: hostPath }\n  password: { type: secret }\n';
  const file = () => world.runbook('sealed', STEP, PARAMS);
  const params = (sealed: string) => ['--param', `file=${world.file('service.env')}`, '--param', `password=${sealed}`];

  it('is sealed to a key that the host has signed, and to no other', async () => {
    const unknown = await seal(['--host', 'a-1']);
    expect([unknown.exitCode, unknown.stderr]).toEqual([1, expect.stringContaining('SB-CLI-HOST-KEY')]);
    const wrong = await seal(['--host', 'a-1', '--key', createKeyPair().publicKey]);
    expect([wrong.exitCode, wrong.stderr]).toEqual([1, expect.stringContaining('SB-CLI-HOST-KEY')]);
    const sealed = await seal(['--host', 'a-1', '--key', keyOf('a-1')]);
    expect(sealed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^sealed:a-1:X/) });
    expect((await seal(['--host', 'a-1'])).exitCode).toBe(0);
    expect((await seal(['--host', 'a-1'], '')).stderr).toContain('nothing to seal');
  });

  it('reaches its host, and nothing else that is kept or told', async () => {
    const { stdout } = await seal(['--host', 'a-1', '--key', keyOf('a-1')]);
    const started = await world.signalbox(['start', file(), '--yes', ...params(stdout.trim())]);
    expect(started.exitCode).toBe(0);
    expect(readFileSync(world.file('service.env'), 'utf8')).toContain('corr3ct horse');
    // Keys, journal, logs, and all that NATS has on disk.
    const found = execFileSync('grep', ['-rlaF', 'corr3ct', world.dir], { encoding: 'utf8' });
    expect(found.trim().split('\n')).toEqual([world.file('service.env')]);
    expect(statSync(world.file('etc/a-1.curve.seed')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['was sealed to another host', async () => (await seal(['--host', 'a-2', '--key', keyOf('a-2')])).stdout.trim()],
    ['has one character changed', async () => flipped((await seal(['--host', 'a-1'])).stdout.trim())],
  ])('does not open when it %s', async (_, make) => {
    const rehearsed = await world.signalbox(['rehearse', file(), ...params(await make())]);
    expect(rehearsed).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('SB-SECRET-SEALED') });
  });
});

const flipped = (ref: string) => ref.replace(/.(?=.{8}$)/, (char) => (char === 'A' ? 'B' : 'A'));
