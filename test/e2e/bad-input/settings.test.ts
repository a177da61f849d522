import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createKeyPair } from '@signalbox/protocol/crypto';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { testFolder } from '../../lab/booted.ts';
import { sayTo } from '../../lab/child.ts';
import { PROGRAMS } from '../../lab/programs.ts';

/** A folder with a whole agent.yaml, and what the agent says to another text in it. */
function agentWith(change: (good: Record<string, unknown>) => string) {
  const dir = testFolder();
  const key = createKeyPair();
  writeFileSync(join(dir, 'agent.seed'), `${key.seed}\n`, { mode: 0o600 });
  const good = {
    ...{ mesh: 'e2e', name: 'a-1', servers: ['nats://127.0.0.1:1'] },
    ...{ seedFile: 'agent.seed', stateDir: join(dir, 'state') },
    trust: { coordinators: [key.publicKey] },
  };
  const file = join(dir, 'agent.yaml');
  writeFileSync(file, change(good));
  return { dir, file, key, said: () => sayTo([PROGRAMS.agent, '--config', file]) };
}

describe('an agent.yaml that', () => {
  it.each([
    { what: 'is empty', text: () => '', names: 'agent.yaml' },
    {
      what: 'has an unknown key',
      text: (good: object) => stringify({ ...good, concurency: 3 }),
      names: 'concurency',
      next: 'concurrency',
    },
    { what: 'lacks a key', text: (good: object) => stringify({ ...good, trust: undefined }), names: 'trust' },
    { what: 'is no YAML', text: () => 'mesh: [e2e\nname: }', names: 'agent.yaml:' },
  ])('$what is one clear error with 2, and nothing is made', async ({ text, names, next }) => {
    const { dir, said } = agentWith(text);
    const { exitCode, stdout, stderr } = await said();
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^signalbox-agent: SB-CFG-[A-Z-]+: /);
    expect(stderr).toContain(names);
    if (next !== undefined) expect(stderr).toContain(next);
    // The code and what happened, then what to do; no stack trace.
    expect(stderr.trimEnd().split('\n')).toHaveLength(2);
    expect(existsSync(join(dir, 'state'))).toBe(false);
  });

  it('cannot be read is one clear error with 2', async () => {
    const dir = testFolder();
    // Unreadable for root as well.
    mkdirSync(join(dir, 'agent.yaml'));
    const { exitCode, stderr } = await sayTo([PROGRAMS.agent, '--config', join(dir, 'agent.yaml')]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/SB-CFG-[A-Z-]+: .*agent\.yaml/);
    expect(readdirSync(dir)).toEqual(['agent.yaml']);
  });

  it('[I9] names a seed that others may read is refused, and the seed is not shown', async () => {
    const { dir, key, file } = agentWith((good) => stringify({ ...good, seedFile: 'open.seed' }));
    writeFileSync(join(dir, 'open.seed'), key.seed, { mode: 0o644 });
    const { exitCode, stdout, stderr } = await sayTo([PROGRAMS.agent, '--config', file]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('SB-CFG-SEED');
    expect(stdout + stderr).not.toContain(key.seed);
  });
});
