import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeToken } from '@signalbox/protocol';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { codeOf } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { joinMesh } from './join.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sb-join-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it.each(['agent.yaml', 'ca.crt', 'agent.seed'])(
  'spends no token where there is an old %s, and leaves it alone',
  async (old) => {
    writeFileSync(join(dir, old), 'of before');
    // Nobody listens there: whoever asked would be told that NATS is away.
    const token = writeToken({
      ...{ v: 1, mesh: 'm', host: 'h', servers: ['nats://127.0.0.1:1'], coordinators: [createKeyPair().publicKey] },
      ...{ seed: createKeyPair().seed, expiresAtMs: 2, ca: 'ca' },
    });
    expect(await codeOf(joinMesh({ token, dir, stateDir: dir, policy: false }, 1))).toBe('SB-JOIN-FILE');
    expect(readdirSync(dir)).toEqual([old]);
  },
);
