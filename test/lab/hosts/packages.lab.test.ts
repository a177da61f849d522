import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCli } from '@signalbox/agent';
import { buildProgram } from '@signalbox/coordinator';
import { buildPackages, type Packages } from '@signalbox/packaging';
import { until } from '@signalbox/protocol/testing';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../programs.ts';
import { installPackage } from './lab.ts';
import { must } from './machine-program.ts';
import { NEWER, newerPackages } from './newer-packages.ts';
import { LAB_IS_THERE, sharedLab } from './shared-lab.ts';
import { hostStates, signalbox } from './signalbox.ts';

const AGENT = 'signalbox-agent.service';
const RUNNER = 'signalbox-runner.service';
const COORDINATOR = 'signalbox-coordinator.service';
/** Where the shells look. */
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

async function build(name: string) {
  return await buildPackages({ outDir: join(folder, name), version: NEWER, compression: 'none' });
}

describe.runIf(LAB_IS_THERE)('the Debian packages', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sb-packages-'));
    newer = await newerPackages(lab());
  }, 300_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are under 40 MB each, say nothing of the machine that built them, and complete commands in three shells', async () => {
    for (const file of [newer.agent, newer.signalbox]) {
      expect(statSync(file).size).toBeLessThan(40e6);
      const tree = join(folder, 'tree');
      await must(['dpkg-deb', '--raw-extract', file, tree]);
      const found = await must(['grep', '-rlF', REPOSITORY, tree]).catch(() => '');
      expect(found).toBe('');
      const name = file === newer.signalbox ? 'signalbox' : 'signalbox-agent';
      for (const pathOf of COMPLETIONS) expect(existsSync(join(tree, pathOf(name))), pathOf(name)).toBe(true);
      rmSync(tree, { recursive: true });
    }
  });

  it('are the same bytes when they are built again from the same sources', async () => {
    const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
    const [one, two] = [await build('one'), await build('two')];
    expect(digest(one.agent)).toBe(digest(two.agent));
    expect(digest(one.signalbox)).toBe(digest(two.signalbox));
  }, 120_000);

  it.each<[string, Command]>([
    ['signalbox', buildProgram({ version: '', output: {}, go: async () => {} })],
    ['signalbox-agent', buildCli('', () => {})],
  ])(
    'have a page for man %s, without a flaw, with all there is to type; and bash completes it',
    async (name, program) => {
      const host = lab().host('coord-1');
      const { stdout, stderr, exitCode } = await host.exec(['env', 'MANWIDTH=100', 'man', '--warnings=w', name]);
      expect([exitCode, stderr]).toEqual([0, '']);
      for (const path of pathsOf(program)) expect(stdout, path).toMatch(new RegExp(`^ +${path} `, 'm'));
      expect(await host.run(['whatis', name])).toContain(`${name} (`);

      const loaded = `. /usr/share/bash-completion/bash_completion; _completion_loader ${name}`;
      const asked = `COMP_WORDS=(${name} ''); COMP_CWORD=1; _${name.replace('-', '_')}; echo "\${COMPREPLY[@]}"`;
      const offered = (await host.run(['bash', '-c', `${loaded}; ${asked}`])).trim().split(' ');
      expect(offered).toEqual(expect.arrayContaining(program.commands.map((command) => command.name())));
    },
  );

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
      const coordinator = await lab().host('coord-1').unit(COORDINATOR, ['User', 'ActiveState']);
      expect(coordinator).toEqual({ User: 'signalbox', ActiveState: 'active' });
      expect((await host().exec(['runuser', '-u', 'nobody', '--', 'cat', ...settled.slice(1), state])).stdout).toBe('');
    });

    it('speak to the network as a user who has no key, no settings and nothing else that they may do', async () => {
      await online('web-1');
      const { MainPID: agent = '', User } = await host().unit(AGENT, ['MainPID', 'User']);
      const { MainPID: runner = '' } = await host().unit(RUNNER, ['MainPID']);
      expect(User).toBe('signalbox-agent');
      const connections = await host().run(['ss', '--no-header', '--tcp', '--processes', '--numeric']);
      expect(connections).toContain(`pid=${agent},`);
      expect(connections).not.toContain(`pid=${runner},`);
      const owner = ['stat', '--format=%A %U %G', '/run/signalbox/runner.sock'] as const;
      expect((await host().run(owner)).trim()).toBe('srw-rw---- root signalbox-agent');
      // Without the bounds of the unit, which are on top of this.
      const tries: [string, ...string[]][] = [
        ...settled.slice(1).map((path): [string, string] => ['cat', path]),
        ...[['cat', state] as const, ['ls', '/run/signalbox-agent'] as const].map(([file, path]): [string, string] => [
          file,
          path,
        ]),
        ['touch', '/etc/signalbox/policy.yaml'],
        ['systemctl', 'restart', 'systemd-networkd.service'],
        ['systemd-run', '--wait', 'id'],
        ['kill', runner],
      ];
      for (const argv of tries) {
        const { exitCode, stdout } = await host().exec(['runuser', '-u', 'signalbox-agent', '--', ...argv]);
        expect([exitCode === 0, stdout], argv.join(' ')).toEqual([false, '']);
      }
    });

    it('are bounded as the documentation says', async () => {
      const coordinator = lab().host('coord-1');
      const scoreOf = async (unit: string) =>
        /: ([\d.]+) /.exec(await coordinator.run(['systemd-analyze', 'security', '--no-pager', unit]))?.[1];
      const text = readFileSync(join(REPOSITORY, 'docs', 'security.md'), 'utf8');
      for (const unit of [AGENT, RUNNER, COORDINATOR]) expect(text).toContain(`\`${unit}\` | ${await scoreOf(unit)} |`);
    });

    it('are one process of root where that is chosen, and say so', async () => {
      const file = '/etc/signalbox/agent.yaml';
      const settings = host().get(file);
      host().put(file, `${settings}privileges: root\n`);
      await host().run(['systemctl', 'restart', AGENT]);
      const said = 'the process that speaks to the network is root: web-1';
      await until('signalbox to say so', async () => (await signalbox(lab(), 'hosts')).stdout.includes(said));
      expect((await host().unit(AGENT, ['StatusText'])).StatusText).toContain('privileges: root');
      host().put(file, settings);
      await host().run(['systemctl', 'restart', AGENT]);
      await until('root to be gone', async () => !(await signalbox(lab(), 'hosts')).stdout.includes(said));
      await online('web-1');
    });

    it.each([AGENT, RUNNER])('are started again by the watchdog when the loop of %s stands still', async (unit) => {
      const dropIn = `/etc/systemd/system/${unit}.d/impatient.conf`;
      host().put(dropIn, '[Service]\nWatchdogSec=8s\nTimeoutAbortSec=1s\n');
      await host().run(['systemctl', 'daemon-reload']);
      await host().run(['systemctl', 'restart', unit]);
      const { MainPID: before = '' } = await host().unit(unit, ['MainPID']);
      await host().run(['kill', '-STOP', before]);
      await until('systemd to start it again', async () => {
        const { MainPID, ActiveState, NRestarts } = await host().unit(unit, ['MainPID', 'ActiveState', 'NRestarts']);
        return ActiveState === 'active' && MainPID !== before && Number(NRestarts) > 0;
      });
      await host().run(['rm', '-r', `/etc/systemd/system/${unit}.d`]);
      await host().run(['systemctl', 'daemon-reload']);
      await host().run(['systemctl', 'restart', unit]);
      await online('web-1');
    });

    it('leave settings and state when they are removed, and nothing when they are purged', async () => {
      host().put('/etc/signalbox/agent.env', 'PROXY=none\n', 0o600);
      // As `signalbox-agent join` leaves a host.
      const joined = ['/etc/signalbox/policy.yaml', '/etc/signalbox/ca.crt'];
      for (const path of joined) host().put(path, '# mine\n');
      await host().run(['dpkg', '--remove', 'signalbox-agent']);
      for (const unit of [AGENT, RUNNER]) expect((await host().unit(unit, ['LoadState'])).LoadState).toBe('not-found');
      expect(host().has('/usr/lib/signalbox-agent')).toBe(false);
      for (const path of [...settled, ...joined, state]) expect(host().has(path), path).toBe(true);

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
});

/** All that can be typed behind the program's name: `wait`, `hosts rotate`. */
function pathsOf(program: Command, before = ''): string[] {
  return program.commands.flatMap((command) => {
    const path = `${before}${command.name()}`;
    return [path, ...pathsOf(command, `${path} `)];
  });
}
