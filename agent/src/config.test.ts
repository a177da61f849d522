import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignalboxError } from '@signalbox/protocol';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from './config.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-config-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const key = createKeyPair().publicKey;
const good = `mesh: lab
name: h1
servers: [nats://127.0.0.1:4222]
seedFile: seed
stateDir: /var/lib/signalbox-agent
labels: { role: node }
trust:
  coordinators: [${key}]
`;

function write(text: string): string {
  const path = join(dir, 'agent.yaml');
  writeFileSync(path, text);
  return path;
}

function failureOf(run: () => unknown) {
  try {
    run();
  } catch (error) {
    if (error instanceof SignalboxError) return error.failure;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('agent.yaml', () => {
  it('is read with its defaults, paths relative to it', () => {
    expect(loadConfig(write(`${good}stopTimeout: 1m30s\n`))).toMatchObject({
      seedFile: join(dir, 'seed'),
      stateDir: '/var/lib/signalbox-agent',
      concurrency: 4,
      stopTimeout: 90_000,
      maxSkew: 30_000,
    });
  });

  it.each([
    ['SB-CFG-EMPTY', 'is empty', ''],
    ['SB-CFG-EMPTY', 'is empty', '# nothing\n'],
    ['SB-CFG-YAML', 'agent.yaml:2:', 'mesh: lab\n\tname: h1\n'],
    ['SB-CFG-YAML', 'agent.yaml:2:1', 'mesh: lab\nmesh: prod\n'],
    ['SB-CFG-KEY', 'agent.yaml:9:1: unknown key stateDirr', `${good}stateDirr: x\n`],
    ['SB-CFG-KEY', 'agent.yaml:8:3: unknown key trust.coordinator', good.replace('coordinators', 'coordinator')],
    ['SB-CFG-VALUE', 'agent.yaml:3:11: servers.0', good.replace('nats://127.0.0.1:4222', 'somewhere')],
    ['SB-CFG-VALUE', 'agent.yaml: seedFile is missing', good.replace('seedFile: seed\n', '')],
    ['SB-CFG-VALUE', 'agent.yaml:2:7: name', good.replace('name: h1', 'name: Host_1')],
    ['SB-CFG-VALUE', 'agent.yaml:8:18: trust.coordinators.0', good.replace(key, 'UABC')],
    ['SB-CFG-VALUE', 'agent.yaml:9:14: stopTimeout', `${good}stopTimeout: soon\n`],
    ['SB-CFG-VALUE', 'agent.yaml:1:1: the file', '- a list\n'],
  ])('%s: %s', (code, message, text) => {
    const failure = failureOf(() => loadConfig(write(text)));
    expect([failure.code, failure.message]).toEqual([code, expect.stringContaining(message)]);
  });

  it('that is misspelt says what was meant', () => {
    expect(failureOf(() => loadConfig(write(`${good}statedir: x\n`))).next).toBe('Did you mean stateDir?');
  });

  it('that cannot be read says so', () => {
    expect(failureOf(() => loadConfig(join(dir, 'none.yaml'))).code).toBe('SB-CFG-READ');
    expect(failureOf(() => loadConfig(dir)).code).toBe('SB-CFG-READ');
  });
});
