import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { sayTo } from '../../lab/child.ts';
import { exampleOf } from '../../lab/examples.ts';
import { PROGRAMS, REPOSITORY } from '../../lab/programs.ts';

/** Played on real hosts, with a blow at each of their steps: `npm run lab:matrix`. */
const IN_MATRIX = ['validator-move', 'backend-upgrade', 'node-upgrade', 'platform-upgrade'];
const FOLDER = join(REPOSITORY, 'runbooks', 'r3mes');
const RUNBOOKS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml') && !IN_MATRIX.includes(name.replace('.yaml', '')))
  .sort();
/** A death of a host at a step each second day; on the other days anything. docs/simulate.md has many more. */
const DAYS = 6;

const dir = mkdtempSync(join(tmpdir(), 'sb-simulate-'));
/** Hosts are invented then. */
const NO_MESH = { env: { HOME: dir, SIGNALBOX_CONFIG: '' }, timeoutMs: 170_000 };
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.concurrent('runbooks of R3MES on bad days, with the parameters that their heads give as an example', () => {
  it.each(RUNBOOKS)('[I1] [I2] [I4] %s makes no change twice, loses nothing and ends safely', async (name) => {
    const file = join(FOLDER, name);
    const params = join(dir, name);
    // A checksum is written short there.
    const example = exampleOf(readFileSync(file, 'utf8'));
    writeFileSync(params, stringify('sha256' in example ? { ...example, sha256: 'ab'.repeat(32) } : example));
    const argv = ['simulate', file, '--params', params, '--seeds', String(DAYS)];
    const said = await sayTo([PROGRAMS.signalbox, '--json', ...argv], NO_MESH);
    expect(said.exitCode, said.stdout + said.stderr).toBe(0);
    const { fates, storms, broken } = JSON.parse(said.stdout);
    const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0);
    expect(broken).toEqual([]);
    // A death at a step that was not reached is none.
    expect(sum(fates.map(({ days }: { days: number }) => days))).toBeGreaterThan(0);
    expect(sum(Object.values(storms))).toBe(DAYS / 2);
  });
});
