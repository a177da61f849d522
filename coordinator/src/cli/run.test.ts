import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCli } from './run.ts';
import { testIo } from './testing/test-io.ts';

function folder(files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'sb-cli-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

async function signalbox(argv: string[], options: Parameters<typeof testIo>[0] = {}) {
  const io = testIo({ env: { HOME: '/nowhere' }, ...options });
  const exit = await runCli(argv, io);
  return { exit, stdout: io.stdout, stderr: io.stderr };
}

const RUNBOOK = `apiVersion: signalbox/v1
kind: Runbook
metadata: { name: small, summary: A small one }
spec:
  hosts:
    box: { match: { role: box }, count: 1 }
  steps:
    - id: stopped
      hosts: box
      do: systemd.stop
      with: { unit: a.service }
    - id: sure
      approve: { count: 1 }
    - id: sealed
      pointOfNoReturn: { statement: No way back., guards: [quiet] }
    - id: started
      hosts: box
      do: systemd.start
      with: { unit: a.service }
`;

describe('signalbox', () => {
  it('without a command shows its help, and that it is no success', async () => {
    const { exit, stdout } = await signalbox([]);
    expect(exit).toBe(2);
    expect(stdout).toContain('Usage: signalbox');
  });

  it.each([
    [['--help'], 'Usage: signalbox'],
    [['plan', '--help'], 'Example:'],
    [['--version'], '.'],
  ])('%j ends with 0', async (argv, text) => {
    const { exit, stdout, stderr } = await signalbox(argv);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toContain(text);
  });

  it.each([
    [['statsu']],
    [['status', '--wyh']],
    [['skip', 'run-1', 'step']],
    [['resolve', 'run-1', 'step', '--as', 'perhaps', '--note', 'x']],
    [['wait', 'run-1', '--for']],
    [['report', '--format', 'pdf']],
    [['abort', 'run-1']],
    [['abort', 'run-1', '--undo', '--leave', '--note', 'x']],
    [['abort', 'run-1', '--undo']],
    [['pause']],
    [['start', 'x.plan', '--accept-drift']],
    [['coordinator']],
  ])('%j is bad usage: one error with a code, and 2', async (argv) => {
    const { exit, stdout, stderr } = await signalbox(argv);
    expect(exit).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^error SB-CLI-USAGE {2}.+\n/);
  });

  it('has one error where there are no settings', async () => {
    const { exit, stderr } = await signalbox(['runs']);
    expect(exit).toBe(2);
    expect(stderr).toMatch(/^error SB-CLI-NO-SETTINGS/);
  });

  it('gives errors as data with --json', async () => {
    const { stdout } = await signalbox(['runs', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'SB-CLI-NO-SETTINGS' } });
  });

  it('colours on a terminal, and not with NO_COLOR', async () => {
    const colourful = await signalbox(['statsu'], { isTerminal: true });
    expect(colourful.stderr).toContain('\u001b[31m');
    const plain = await signalbox(['statsu'], { isTerminal: true, env: { NO_COLOR: '1' } });
    expect(plain.stderr).not.toContain('\u001b');
  });
});

describe('signalbox check', () => {
  it('shows findings with a caret and ends with 2', async () => {
    const { exit, stderr } = await signalbox(['check', 'rb.yaml'], { cwd: folder({ 'rb.yaml': RUNBOOK }) });
    expect(exit).toBe(2);
    expect(stderr).toMatch(/rb\.yaml:\d+:\d+ {2}error SB2\d\d/);
    expect(stderr).toContain('^');
    expect(stderr).toMatch(/error SB-CLI-FINDINGS {2}rb\.yaml: \d+ errors?/);
  });

  it('counts steps and points of no return of a runbook that passes', async () => {
    const good = RUNBOOK.replace(/ {4}- id: sealed[\s\S]*?guards: \[quiet\] \}\n/, '');
    const { exit, stdout, stderr } = await signalbox(['check', 'rb.yaml'], { cwd: folder({ 'rb.yaml': good }) });
    expect(stderr).toBe('');
    expect({ exit, stdout }).toEqual({ exit: 0, stdout: 'small: 3 steps, 0 errors\n' });
  });

  it('says the same as data', async () => {
    const { exit, stdout } = await signalbox(['check', 'rb.yaml', '--json'], { cwd: folder({ 'rb.yaml': RUNBOOK }) });
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ file: 'rb.yaml', steps: 4, pointsOfNoReturn: 1 });
  });

  it('has one error for a file that is not there', async () => {
    const { exit, stderr } = await signalbox(['check', 'none.yaml'], { cwd: folder() });
    expect({ exit, stderr: stderr.split('\n')[0] }).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('SB-CLI-FILE'),
    });
  });

  it('has one error for noise', async () => {
    const { exit, stderr } = await signalbox(['check', 'big'], { cwd: folder({ big: 'x'.repeat(10_000_000) }) });
    expect({ exit, stderr: stderr.split('\n')[0] }).toMatchObject({
      exit: 2,
      stderr: expect.stringContaining('SB-CLI-FILE'),
    });
  });
});

describe('signalbox explain', () => {
  it.each(['systemd.stop', 'cometbft.status', 'SB-AGENT-SILENT', 'SB301', 'T05', 'sb-cli-usage'])(
    'knows %s',
    async (topic) => {
      const { exit, stdout } = await signalbox(['explain', topic]);
      expect(exit).toBe(0);
      expect(stdout.toLowerCase()).toContain(topic.toLowerCase());
    },
  );

  it('names what may have been meant', async () => {
    const { exit, stderr } = await signalbox(['explain', 'systemd.stpo']);
    expect(exit).toBe(2);
    expect(stderr).toContain('Did you mean systemd.stop?');
  });
});
