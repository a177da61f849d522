import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyPairFromSeed } from '@signalbox/protocol/crypto';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, InitMesh } from '../../lab/init-mesh.ts';

/** With TLS and a token: what speaks to the network is told all that it needs, and never a key. */
const world = new InitMesh();
const { signalbox, etc, logOf } = world;
const key = () => keyPairFromSeed(readFileSync(join(etc('a-1'), 'agent.seed'), 'utf8'));
let agent: Agent;

beforeAll(async () => {
  await world.start();
  const { exitCode, stderr } = await world.joinAs('a-1', await world.enroll('a-1'));
  if (exitCode !== 0) throw new Error(stderr);
  agent = world.startAgent('a-1', { messenger: true });
  await world.heard(agent);
});
afterAll(() => world.end());

describe('a host whose messenger has no key', () => {
  it('has that key replaced and withdrawn, and is back with the next one', async () => {
    const old = key().publicKey;
    const rotated = await signalbox('hosts', 'rotate', 'a-1');
    expect([rotated.exitCode, rotated.stderr]).toEqual([0, '']);
    expect(key().publicKey).not.toBe(old);
    const withdrawn = await signalbox('hosts', 'rotate', 'a-1', '--withdraw');
    expect([withdrawn.exitCode, withdrawn.stderr]).toEqual([0, '']);
    await until('a-1 to be back with its key', async () => (await world.stateOf('a-1')) === 'online');
    const { exitCode, stdout } = await signalbox('exec', '--hosts', 'a-1', '--effect', 'read', '--', 'echo', 'here');
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('here')]);
    expect(logOf('a-1-messenger')).not.toContain(key().seed);
  });

  it('is one that is revoked, too, and says why', async () => {
    const { exitCode } = await signalbox('hosts', 'revoke', 'a-1', '--note', 'sold');
    expect(exitCode).toBe(0);
    await until('its connection to be cut', () => logOf('a-1-messenger').includes('connection to NATS lost'));
  });
});
