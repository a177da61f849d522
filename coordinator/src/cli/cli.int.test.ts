import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LocalMesh, startMesh } from '@signalbox/bus';
import { until } from '@signalbox/protocol/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolder, writeSettings } from './dev-files.ts';
import { type DevProcess, startProcess } from './dev-process.ts';
import { runCli } from './run.ts';
import { type TestIo, testIo } from './testing/test-io.ts';

const NAMES = { mesh: 'test', host: 'box-1', operator: 'ayse' };
const SIGNALBOX = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const AGENT = fileURLToPath(new URL('../../../agent/dist/main.js', import.meta.url));

let dir: string;
let mesh: LocalMesh;
let settings: ReturnType<typeof writeSettings>;
let coordinator: DevProcess;
let agent: DevProcess;

function startCoordinator(): DevProcess {
  const argv = [process.execPath, SIGNALBOX, 'coordinator', '--config', settings.coordinator] as const;
  return startProcess('coordinator', argv, join(dir, 'coordinator.log'));
}

/** Runs the CLI in this process, from its sources. */
function begin(argv: string[], answers?: string[]): { io: TestIo; exit: Promise<number> } {
  const io = testIo({ env: { SIGNALBOX_CONFIG: settings.operator }, cwd: dir, ...(answers ? { answers } : {}) });
  return { io, exit: runCli(argv, io) };
}

async function signalbox(...argv: string[]) {
  const { io, exit } = begin(argv);
  return { exit: await exit, stdout: io.stdout, stderr: io.stderr };
}

async function hostIsOnline(): Promise<boolean> {
  return (await signalbox('hosts')).stdout.includes('1 of 1 hosts online');
}

const GATE = (name: string, uptime: number) => `apiVersion: signalbox/v1
kind: Runbook
metadata: { name: ${name}, summary: Waits for the uptime of a host }
spec:
  hosts:
    box: { match: { role: box }, count: 1 }
  steps:
    - id: made
      hosts: box
      do: exec.run
      with: { argv: [mkdir, '\${params.dir}'], effect: reversible, undo: { argv: [rmdir, '\${params.dir}'] } }
    - id: old-enough
      hosts: box
      gate:
        probe: host.facts
        until: { uptimeSeconds: { atLeast: ${uptime} } }
        for: 1s
        every: 200ms
        timeout: 1h
  params:
    dir: { type: hostPath }
`;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sb-cli-int-'));
  const folder = openFolder(join(dir, 'mesh'), NAMES);
  mesh = await startMesh({
    mesh: NAMES.mesh,
    agents: [NAMES.host],
    operators: [NAMES.operator],
    keys: folder.keys,
    dir: folder.nats,
  });
  settings = writeSettings(folder, NAMES, {
    url: mesh.url,
    healthUrl: undefined,
    labels: { role: 'box' },
    path: process.env.PATH ?? '',
  });
});

afterAll(async () => {
  await agent?.stop();
  await coordinator?.stop();
  await mesh?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the CLI and a real mesh', () => {
  it('ends with 4 and one clear error when no coordinator is there', async () => {
    const { exit, stderr } = await signalbox('runs');
    expect(exit).toBe(4);
    expect(stderr).toMatch(/^error SB-BUS-NO-COORDINATOR .*mesh test\n {6}Start one with/);
    const doctor = await signalbox('doctor');
    expect(doctor.exit).toBe(4);
    expect(doctor.stdout).toMatch(/FAILED +coordinator/);
  });

  it('reaches coordinator and agent', async () => {
    coordinator = startCoordinator();
    agent = startProcess('agent', [process.execPath, AGENT, '--config', settings.agent], join(dir, 'agent.log'));
    await until('the host is online', hostIsOnline);
    const { exit, stdout } = await signalbox('doctor');
    expect(stdout).toContain('mesh test');
    expect(exit).toBe(0);
  });

  it('runs a program on a host and prints what it printed, escapes shown and not obeyed', async () => {
    const good = await signalbox('exec', '--hosts', 'box-1', '--effect', 'read', '--', 'printf', 'a\u001b[31mb\n');
    expect(good).toMatchObject({ exit: 0, stderr: '' });
    expect(good.stdout).toContain('a\\x1b[31mb\n');
    const bad = await signalbox('exec', '--hosts', 'role=box', '--', 'sh', '-c', 'exit 3');
    expect(bad.exit).toBe(1);
    expect(bad.stdout).toContain('box-1: FAILED sh exited with 3 [SB-ACT-COMMAND-FAILED]');
  });

  it('refuses a host that nobody has enrolled', async () => {
    const { exit, stderr } = await signalbox('exec', '--hosts', 'box-9', '--', 'true');
    expect({ exit, code: stderr.split('  ')[0] }).toEqual({ exit: 2, code: 'error SB-CLI-NO-HOST' });
  });

  it('samples a probe, and judges it like a gate', async () => {
    const once = await signalbox('probe', 'host.facts', '--hosts', 'box-1', '--json');
    expect(JSON.parse(once.stdout)[0]).toMatchObject({ host: 'box-1', values: { cpus: expect.any(Number) } });
    const never = ['--until', 'cpus.atLeast=100000', '--every', '50ms', '--timeout', '300ms'];
    const waited = await signalbox('probe', 'host.facts', '--hosts', 'box-1', ...never);
    expect({ exit: waited.exit, said: waited.stderr }).toMatchObject({
      exit: 1,
      said: expect.stringContaining('SB-CLI-WAITED'),
    });
    const held = await signalbox(
      'probe',
      'host.facts',
      '--hosts',
      'box-1',
      '--until',
      'cpus.atLeast=1',
      '--every',
      '50ms',
    );
    expect(held.exit).toBe(0);
  });

  it('plans, starts what was planned once its name is typed, and reports', async () => {
    writeFileSync(join(dir, 'young.yaml'), GATE('young', 1));
    const plan = await signalbox('plan', 'young.yaml', '-p', `dir=${dir}/young`, '--out', 'young.plan');
    expect(plan).toMatchObject({ exit: 0, stderr: '' });
    expect((await signalbox('start', 'young.plan')).stderr).toContain('say --yes');
    const wrong = begin(['start', 'young.plan'], ['yuong']);
    expect(await wrong.exit).toBe(2);
    expect(wrong.io.stderr).toContain('SB-CLI-NOT-CONFIRMED');
    const right = begin(['start', 'young.plan'], ['young']);
    expect(await right.exit).toBe(0);
    expect(right.io.stdout).toContain('young-1   test   COMPLETED');
    const report = await signalbox('report', 'young-1', '--format', 'md');
    expect(report.stdout).toContain('# young-1: completed');
    expect((await signalbox('wait', 'young-1', '--for', 'done')).exit).toBe(0);
    expect((await signalbox('wait', 'young-1', '--for', 'held')).exit).toBe(1);
  });

  it('[I8] follows through the death of the coordinator, and undoes what was asked before it', async () => {
    writeFileSync(join(dir, 'old.yaml'), GATE('old', 1_000_000_000));
    const following = begin(['start', 'old.yaml', '-p', `dir=${dir}/old`, '--yes']);
    await until('the follower says so', () => following.io.stdout.includes('old-enough on box-1 waits'));
    expect((await signalbox('status')).stdout).toMatch(/WAITING +old-enough/);
    process.kill(coordinator.pid ?? 0, 'SIGKILL');
    await coordinator.ended;
    await until('the follower says so', () =>
      following.io.stdout.includes('no coordinator; agents finish what they run'),
    );
    expect((await signalbox('pause', 'old-1')).exit).toBe(4);
    coordinator = startCoordinator();
    await until('the follower says so', () => following.io.stdout.includes('the coordinator is back'));
    const rehearsed = await signalbox('abort', 'old-1', '--undo', '--dry-run');
    expect(rehearsed.stdout).toContain('1 undo, ~1s');
    await until(
      'the abort is taken',
      async () => (await signalbox('abort', 'old-1', '--undo', '--note', 'seen enough')).exit === 0,
    );
    expect(await following.exit).toBe(1);
    expect(following.io.stdout).toContain('old-1   test   ROLLED-BACK');
  });

  it('leaves the run to itself when it is interrupted', async () => {
    // A coordinator that has just started begins nothing on a host before it has heard of it.
    await until('all is well', async () => (await signalbox('doctor')).exit === 0);
    const following = begin(['start', 'old.yaml', '-p', `dir=${dir}/again`, '--yes']);
    await until('the follower says so', () => following.io.stdout.includes('old-enough on box-1 waits'));
    following.io.interrupt();
    expect(await following.exit).toBe(0);
    expect(following.io.stdout).toContain('the run goes on; `signalbox abort old-2 --undo|--leave` stops it');
    expect((await signalbox('runs', '--active')).stdout).toContain('old-2');
    expect((await signalbox('abort', 'old-2', '--leave', '--note', 'test is over')).exit).toBe(0);
    expect((await signalbox('wait', 'old-2', '--for', 'done')).exit).toBe(5);
  });
});
