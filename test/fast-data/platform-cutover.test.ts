import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sayTo } from '../lab/child.ts';
import { PROGRAMS, REPOSITORY } from '../lab/programs.ts';

const RUNBOOK = join(REPOSITORY, 'runbooks', 'fast-data', 'platform-cutover.yaml');
const guide = readFileSync(join(REPOSITORY, 'docs', 'guides', 'fast-data.md'), 'utf8');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sb-pc-'));
  const [, given = ''] = /```yaml\n(# platform\.yaml\n[\s\S]*?)```/.exec(guide) ?? [];
  writeFileSync(join(dir, 'platform.yaml'), given);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const signalbox = (...words: string[]) => sayTo([PROGRAMS.signalbox, ...words], { timeoutMs: 120_000 });

describe('platform-cutover', () => {
  it('passes every check, with the points of no return of its parts and those between them', async () => {
    const { exitCode, stdout, stderr } = await signalbox('check', RUNBOOK);
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/4 points of no return, 0 errors/);
  });

  it('holds every rule on simulated days, and says of each step what becomes of the run', async () => {
    const words = ['simulate', RUNBOOK, '--params', join(dir, 'platform.yaml'), '--seeds', '8', '--json'];
    const { exitCode, stdout, stderr } = await signalbox(...words);
    expect([exitCode, stderr]).toEqual([0, '']);
    const { fates, broken } = JSON.parse(stdout);
    expect(broken).toEqual([]);
    const steps = fates.map(({ step }: { step: string }) => step);
    const ends = ['services/name-by-api[api.example.com]', 'mongodb/writers-started[rtu]', 'kafka/lag-falls[orders]'];
    expect(steps).toEqual(expect.arrayContaining([...ends, 'services-stay', 'mongodb-stays']));
  });
});
