import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackages, type Packages } from '@signalbox/packaging';
import { until } from '@signalbox/protocol/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../programs.ts';
import { installPackage } from './lab.ts';
import { must } from './machine-program.ts';
import { LAB_IS_THERE, sharedLab, started } from './shared-lab.ts';
import { hostStates, signalbox } from './signalbox.ts';
import { installSlowProgram, letGo, removeSlowUnit, slowProgramRunbook, starts, stepUnits } from './slow-unit.ts';

const AGENT = 'signalbox-agent.service';
const NEWER = '0.1.1';
/** Where the shells look; the agent's own words are known to the first. */
const COMPLETIONS = [
  (name: string) => `usr/share/bash-completion/completions/${name}`,
  (name: string) => `usr/share/zsh/vendor-completions/_${name}`,
  (name: string) => `usr/share/fish/vendor_completions.d/${name}.fish`,
];
const lab = () => sharedLab();
const online = (name: string) =>
  until(`${name} to be online`, async () => (await hostStates(lab()))[name] === 'online');

let folder: string;
let newer: Packages;

async function build(name: string, compression: 'xz' | 'none') {
  return await buildPackages({ outDir: join(folder, name), version: NEWER, compression });
}

describe.runIf(LAB_IS_THERE)('the Debian packages', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sb-packages-'));
    newer = await build('newer', 'xz');
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are under 40 MB each, say nothing of the machine that built them, and complete commands in three shells', async () => {
    for (const file of [newer.agent, newer.signalbox]) {
      expect(statSync(file).size).toBeLessThan(40e6);
      const tree = join(folder, 'tree');
      await must(['dpkg-deb', '--raw-extract', file, tree]);
      const found = await must(['grep', '-rlF', REPOSITORY, tree]).catch(() => '');
      expect(found).toBe('');
      const completions = file === newer.signalbox ? COMPLETIONS : COMPLETIONS.slice(0, 1);
      const name = file === newer.signalbox ? 'signalbox' : 'signalbox-agent';
      for (const pathOf of completions) expect(existsSync(join(tree, pathOf(name))), pathOf(name)).toBe(true);
      rmSync(tree, { recursive: true });
    }
  });

  it('are the same bytes when they are built again from the same sources', async () => {
    const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
    const [one, two] = [await build('one', 'none'), await build('two', 'none')];
    expect(digest(one.agent)).toBe(digest(two.agent));
    expect(digest(one.signalbox)).toBe(digest(two.signalbox));
  }, 120_000);

  describe('on a host', () => {
    const host = () => lab().host('web-1');
    const settled = ['/etc/signalbox/agent.yaml', '/etc/signalbox/agent.seed', '/etc/signalbox/agent.env'];
    const state = '/var/lib/signalbox/agent/journal.log';

    it('run as a service that says when it is ready and that it lives', async () => {
      await online('web-1');
      const shown = await host().unit(AGENT, [
        'ActiveState',
        'SubState',
        'Type',
        'WatchdogUSec',
        'StatusText',
        'Result',
      ]);
      expect(shown).toEqual({
        ...{ ActiveState: 'active', SubState: 'running', Type: 'notify', WatchdogUSec: '1min', Result: 'success' },
        StatusText: 'a coordinator hears this host',
      });
      expect((await host().exec(['systemctl', 'status', '--no-pager', AGENT])).exitCode).toBe(0);
      const coordinator = await lab().host('coord-1').unit('signalbox-coordinator.service', ['User', 'ActiveState']);
      expect(coordinator).toEqual({ User: 'signalbox', ActiveState: 'active' });
      expect((await host().exec(['runuser', '-u', 'nobody', '--', 'cat', ...settled.slice(1), state])).stdout).toBe('');
    });

    it('are started again by the watchdog when the loop stands still', async () => {
      const dropIn = `/etc/systemd/system/${AGENT}.d/impatient.conf`;
      host().put(dropIn, '[Service]\nWatchdogSec=8s\nTimeoutAbortSec=1s\n');
      await host().run(['systemctl', 'daemon-reload']);
      await host().run(['systemctl', 'restart', AGENT]);
      const { MainPID: before = '' } = await host().unit(AGENT, ['MainPID']);
      await host().run(['kill', '-STOP', before]);
      await until('systemd to start the agent again', async () => {
        const { MainPID, ActiveState, NRestarts } = await host().unit(AGENT, ['MainPID', 'ActiveState', 'NRestarts']);
        return ActiveState === 'active' && MainPID !== before && Number(NRestarts) > 0;
      });
      await host().run(['rm', '-r', `/etc/systemd/system/${AGENT}.d`]);
      await host().run(['systemctl', 'daemon-reload']);
      await host().run(['systemctl', 'restart', AGENT]);
      await online('web-1');
    });

    it('leave settings and state when they are removed, and nothing when they are purged', async () => {
      host().put('/etc/signalbox/agent.env', 'PROXY=none\n', 0o600);
      await host().run(['dpkg', '--remove', 'signalbox-agent']);
      expect((await host().unit(AGENT, ['LoadState'])).LoadState).toBe('not-found');
      expect(host().has('/usr/lib/signalbox-agent')).toBe(false);
      for (const path of [...settled, state]) expect(host().has(path), path).toBe(true);

      await host().run(['dpkg', '--purge', 'signalbox-agent']);
      const left = await host().run([
        'find',
        '/etc',
        '/usr',
        '/var',
        '-xdev',
        '-name',
        '*signalbox*',
        '-not',
        '-path',
        '/var/log/*',
      ]);
      // The lab's own programs, bound into the host.
      expect(left.trim().split('\n')).toEqual(['/usr/lib/signalbox-lab']);
    });

    it('wait, and do not fail, where nothing has been set up yet', async () => {
      await installPackage(host(), newer.agent);
      expect(await host().unit(AGENT, ['ActiveState', 'UnitFileState', 'ConditionResult'])).toEqual({
        ...{ ActiveState: 'inactive', UnitFileState: 'enabled', ConditionResult: 'no' },
      });
      expect((await host().exec(['systemctl', 'is-system-running'])).stdout.trim()).toBe('running');
      await lab().settle(host());
      await online('web-1');
    });
  });

  describe('upgraded in the middle of a run', () => {
    const host = () => lab().host('mirror-1');

    afterEach(async () => {
      await removeSlowUnit(host());
      await host().run(['dpkg', '--purge', 'signalbox-agent']);
      await installPackage(host(), lab().packages.agent);
      await lab().settle(host());
      await online('mirror-1');
    });

    it('[I1] lose nothing: the process goes on in its unit, the new agent hears how it ends, the run is completed', async () => {
      installSlowProgram(host());
      host().put('/etc/signalbox/agent.env', '# mine\n', 0o600);
      const run = await started(slowProgramRunbook(lab(), host()), {});
      await run.accepted('started', 'mirror-1');
      await until('the program to be started', () => starts(host()) === 1);
      const [unit, ...others] = await stepUnits(host());
      expect([unit?.description, others]).toEqual([`Signalbox step ${run.id}:started:mirror-1:do:1`, []]);
      const { ControlGroup } = await host().unit(unit?.name ?? '', ['ControlGroup']);
      expect(ControlGroup).toBe(`/system.slice/system-signalbox.slice/${unit?.name}`);
      const status = () => host().run(['systemctl', 'status', '--no-pager', unit?.name ?? '']);
      expect(await status()).toContain('/var/lib/slow/work.sh');
      expect(await host().run(['systemctl', 'status', '--no-pager', AGENT])).not.toContain('/var/lib/slow/work.sh');

      await installPackage(host(), newer.agent);
      expect((await host().run(['signalbox-agent', '--version'])).trim()).toBe(NEWER);
      expect(host().get('/etc/signalbox/agent.env')).toBe('# mine\n');
      expect(run.record.outcome).toBeUndefined();
      expect(await status()).toContain('/var/lib/slow/work.sh');

      letGo(host());
      expect(await run.ended()).toBe('completed');
      expect((await signalbox(lab(), 'logs', run.id)).stdout).toContain('ended');
      expect(starts(host())).toBe(1);
      await until('its unit to be gone', async () => (await stepUnits(host())).length === 0);
    });
  });
});
