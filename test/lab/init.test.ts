import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { alive, bootedNode, testFolder } from './booted.ts';
import { standinFile } from './executable.ts';
import { hostPaths } from './paths.ts';
import { runOn, type Sandbox, showUnit, stopSandbox } from './sandbox.ts';

/** A unit that runs a shell line, beside the host's own. */
async function addUnit(sandbox: Sandbox, line: string, { folder = sandbox.paths.packagedUnits, extra = '' } = {}) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'x.service'),
    `[Service]\nExecStart=/bin/sh -c "${line}"\nRestart=always\nRestartSec=20ms\n${extra}`,
  );
  await runOn(sandbox, ['systemctl', 'daemon-reload']);
}

describe('the lab’s init', () => {
  it('starts what is enabled at boot and says so as systemd does', async () => {
    const node = await bootedNode();
    const unit = await showUnit(node, 'remesd.service', [
      'MainPID',
      'ActiveState',
      'SubState',
      'NRestarts',
      'UnitFileState',
    ]);
    expect(unit).toMatchObject({
      ActiveState: 'active',
      SubState: 'running',
      NRestarts: '0',
      UnitFileState: 'enabled',
    });
    expect(alive(Number(unit.MainPID))).toBe(true);
    expect(await runOn(node, ['systemctl', 'is-active', 'remesd'])).toMatchObject({ stdout: 'active\n', exitCode: 0 });
    const { ExecStart } = await showUnit(node, 'remesd.service', ['ExecStart']);
    expect(ExecStart).toMatch(
      /^\{ path=\/.*\/remesd ; argv\[\]=\/.*\/remesd start --home \/.* ; ignore_errors=no ; .* \}$/,
    );
  });

  it('counts restarts of a unit that dies again and again, and hides none', async () => {
    const node = await bootedNode();
    await addUnit(node, 'exit 7');
    await runOn(node, ['systemctl', 'start', 'x']);
    const seen = await until('three restarts', async () => {
      const unit = await showUnit(node, 'x.service', ['NRestarts', 'Result', 'ExecMainStatus']);
      return Number(unit.NRestarts) >= 3 && unit.ExecMainStatus !== '0' && unit;
    });
    expect(seen).toMatchObject({ Result: 'exit-code', ExecMainStatus: '7' });
    await runOn(node, ['systemctl', 'stop', 'x']);
    await runOn(node, ['systemctl', 'reset-failed', 'x']);
    expect(await showUnit(node, 'x', ['ActiveState', 'NRestarts'])).toEqual({
      ActiveState: 'inactive',
      NRestarts: '0',
    });
  });

  it('stops a unit with all processes that it started, and kills those that will not end', async () => {
    const node = await bootedNode();
    const pidFile = join(node.paths.root, 'child.pid');
    await addUnit(node, `trap '' TERM; sleep 600 & echo $! > ${pidFile}; wait; wait; sleep 600`, {
      extra: 'TimeoutStopSec=200ms\n',
    });
    await runOn(node, ['systemctl', 'start', 'x']);
    const child = await until('the unit’s child', () => {
      try {
        return Number(readFileSync(pidFile, 'utf8')) || undefined;
      } catch {
        return undefined;
      }
    });
    expect((await showUnit(node, 'x', ['TasksCurrent'])).TasksCurrent).toBe('2');
    await runOn(node, ['systemctl', 'stop', 'x']);
    expect(alive(child)).toBe(false);
    expect(await showUnit(node, 'x', ['MainPID', 'TasksCurrent', 'Result'])).toEqual({
      MainPID: '0',
      TasksCurrent: '[not set]',
      Result: 'timeout',
    });
  });

  it('keeps a masked unit from starting, but a runtime mask does not hide a unit in /etc', async () => {
    const node = await bootedNode();
    await addUnit(node, 'sleep 600');
    await runOn(node, ['systemctl', 'mask', '--runtime', '--', 'x.service']);
    const refused = await runOn(node, ['systemctl', 'start', 'x.service']);
    expect(refused).toMatchObject({ exitCode: 1, stderr: 'Failed to start x.service: Unit x.service is masked.\n' });
    expect(await showUnit(node, 'x', ['UnitFileState', 'LoadState'])).toEqual({
      LoadState: 'masked',
      UnitFileState: 'masked-runtime',
    });
    await runOn(node, ['systemctl', 'unmask', '--runtime', 'x.service']);
    unlinkSync(join(node.paths.packagedUnits, 'x.service'));

    await addUnit(node, 'sleep 600', { folder: node.paths.installedUnits });
    await runOn(node, ['systemctl', 'mask', '--runtime', 'x.service']);
    expect(await showUnit(node, 'x', ['LoadState'])).toEqual({ LoadState: 'loaded' });
    expect(await runOn(node, ['systemctl', 'mask', 'x.service'])).toMatchObject({ exitCode: 1 });
  });

  it('takes in a changed unit file and its drop-ins at daemon-reload, not before', async () => {
    const node = await bootedNode();
    await addUnit(node, 'sleep 600', { extra: 'Environment=A=1 "B=two words"\n' });
    expect((await showUnit(node, 'x', ['Environment'])).Environment).toBe('A=1 "B=two words"');
    const dropIns = join(node.paths.installedUnits, 'x.service.d');
    mkdirSync(dropIns, { recursive: true });
    writeFileSync(join(dropIns, '10-a.conf'), '[Service]\nEnvironment=C=3\n');
    expect((await showUnit(node, 'x', ['Environment'])).Environment).not.toContain('C=3');
    await runOn(node, ['systemctl', 'daemon-reload']);
    expect((await showUnit(node, 'x', ['Environment'])).Environment).toContain('C=3');
    expect((await runOn(node, ['systemctl', 'cat', 'x'])).stdout).toContain('10-a.conf');
  });

  it('knows no unit that has no file, with the exit codes of systemctl', async () => {
    const node = await bootedNode();
    expect((await runOn(node, ['systemctl', 'start', 'nosuch'])).exitCode).toBe(5);
    expect((await runOn(node, ['systemctl', 'status', 'nosuch'])).exitCode).toBe(4);
    expect(await showUnit(node, 'nosuch', ['LoadState', 'ActiveState'])).toEqual({
      LoadState: 'not-found',
      ActiveState: 'inactive',
    });
  });

  it('prints properties in its own order, whatever order is asked for', async () => {
    const node = await bootedNode();
    const { stdout } = await runOn(node, [
      'systemctl',
      'show',
      '--property=SubState,MainPID',
      '--value',
      '--',
      'remesd.service',
    ]);
    expect(stdout).toMatch(/^\d+\nrunning\n$/);
  });

  it('does not outlive the process that booted it, however that went', async () => {
    const root = join(testFolder(), 'h');
    const paths = hostPaths(root);
    for (const folder of [paths.packagedUnits, paths.wants]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(paths.packagedUnits, 'x.service'), '[Service]\nExecStart=/bin/sleep 600\n');
    symlinkSync(join(paths.packagedUnits, 'x.service'), join(paths.wants, 'x.service'));
    const launcher = `const c = require('child_process').spawn(process.execPath, [${JSON.stringify(standinFile('init'))},
      ${JSON.stringify(root)}], { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
      c.stdout.once('data', () => process.stdout.write(String(c.pid))); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['-e', launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => {
      parent.kill('SIGKILL');
    });
    const [said] = await once(parent.stdout, 'data');
    const init = Number(said);
    const slept = execFileSync('pgrep', ['-P', String(init)], { encoding: 'utf8' });
    parent.kill('SIGKILL');
    await until('init and its unit to end', () => !alive(init) && !alive(Number(slept)));
  });

  it('ends its units when the host is shut down', async () => {
    const node = await bootedNode();
    const { MainPID } = await showUnit(node, 'remesd', ['MainPID']);
    await stopSandbox(node);
    expect(alive(Number(MainPID))).toBe(false);
    expect(await runOn(node, ['systemctl', 'is-active', 'remesd'])).toMatchObject({ exitCode: 1 });
  });
});
