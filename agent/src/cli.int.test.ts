import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROGRAM } from './testing/agent-process.ts';
import { smallWorld } from './testing/small-world.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'signalbox-cli-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** The journal of a host that did one step, was refused another, and is in the middle of a third. */
async function journalOf(): Promise<string> {
  const world = await smallWorld();
  await world.give(world.command({ step: 'first' }));
  await world.give(world.command({ step: 'second', notAfterMs: 0 }));
  await world.give(world.command({ run: 'run-2' }));
  world.holdRuns = true;
  await world.give(world.command({ step: 'third' }));
  mkdirSync(join(dir, 'state'));
  writeFileSync(join(dir, 'state', 'journal.log'), world.storage.text);
  return join(dir, 'state');
}

describe('signalbox-agent', () => {
  it('says its version and its examples', () => {
    expect(run('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(run('--help').stdout).toContain('signalbox-agent --config /etc/signalbox/agent.yaml');
    expect(run('journal', '--help').stdout).toContain('--run node-upgrade-3');
  });

  it.each([[['--nonsense']], [[]], [['journal']], [['serve', 'me']]])('refuses %j with exit code 2', (args) => {
    const { status, stderr } = run(...args);
    expect([status, stderr]).toEqual([2, expect.stringContaining('error: ')]);
  });

  it('refuses a bad configuration with exit code 2, one error and what to do', () => {
    const path = join(dir, 'agent.yaml');
    writeFileSync(path, '');
    expect(run('--config', path)).toEqual({
      status: 2,
      stdout: '',
      stderr: `signalbox-agent: SB-CFG-EMPTY: ${path} is empty\n  Write at least the keys that the reference of the program calls required.\n`,
    });
    expect(run('--config', join(dir, 'none')).stderr).toContain('SB-CFG-READ');
  });
});

describe('signalbox-agent journal', () => {
  it('shows what was asked, began and ended, without a mesh and without a change', async () => {
    const state = await journalOf();
    const before = readFileSync(join(state, 'journal.log'));
    const { status, stdout } = run('journal', '--state', state);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^JOURNAL .* mesh lab {3}host h1 {3}journal journal-1/);
    expect(stdout).toMatch(/began {5}run-1:first:h1:do:1 {3}test\.action \{\}/);
    expect(stdout).toMatch(/succeeded run-1:first:h1:do:1/);
    expect(stdout).toMatch(/refused {3}run-1:second:h1:do:1 {3}SB-AGENT-LATE/);
    expect(stdout).toMatch(/OPEN {4}run-1:third:h1:do:1/);
    expect(readFileSync(join(state, 'journal.log'))).toEqual(before);
  });

  it('shows one run, also as JSON', async () => {
    const state = await journalOf();
    expect(run('journal', '--state', state, '--run', 'run-2').stdout).not.toContain('began     run-1');
    const { records, host } = JSON.parse(run('journal', '--state', state, '--run', 'run-2', '--json').stdout);
    expect([host, records.map(({ type }: { type: string }) => type)]).toEqual(['h1', ['intent', 'outcome']]);
  });

  it('shows what is readable of a damaged one, and says so', async () => {
    const state = await journalOf();
    appendFileSync(join(state, 'journal.log'), '00000000 {"type":"outcome"}\nmore\n');
    const { status, stdout } = run('journal', '--state', state);
    expect([status, stdout]).toEqual([1, expect.stringMatching(/DAMAGED line \d+: the checksum does not fit/)]);
    expect(stdout).toContain('succeeded run-1:first');
  });

  it('that is not there is one clear error', () => {
    expect(run('journal', '--state', dir)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('SB-JOURNAL-MISSING'),
    });
  });
});
