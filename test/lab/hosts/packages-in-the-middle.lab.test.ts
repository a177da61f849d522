import type { Packages } from '@signalbox/packaging';
import { until } from '@signalbox/protocol/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { installPackage } from './lab.ts';
import type { LabRun } from './lab-run.ts';
import { NEWER, newerPackages } from './newer-packages.ts';
import { LAB_IS_THERE, sharedLab, started } from './shared-lab.ts';
import { hostStates, signalbox } from './signalbox.ts';
import {
  installSlowProgram,
  installSlowUnit,
  letGo,
  removeSlowUnit,
  SLOW_UNIT,
  slowProgramRunbook,
  slowRunbook,
  starts,
  stepUnits,
} from './slow-unit.ts';

const AGENT = 'signalbox-agent.service';
const COORDINATOR = 'signalbox-coordinator.service';
const lab = () => sharedLab();
const host = () => lab().host('mirror-1');
const online = () => until('mirror-1 to be online', async () => (await hostStates(lab()))['mirror-1'] === 'online');
const stepsBegun = (run: LabRun) => run.events.flatMap((event) => (event.type === 'StepStarted' ? event.step : []));

let newer: Packages;

describe.runIf(LAB_IS_THERE)('the Debian packages, in the middle of a run', () => {
  beforeAll(async () => {
    newer = await newerPackages(lab());
  }, 300_000);

  describe('of the agent', () => {
    afterEach(async () => {
      await removeSlowUnit(host());
      await host().run(['dpkg', '--purge', 'signalbox-agent']);
      await installPackage(host(), lab().packages.agent);
      await lab().settle(host());
      await online();
    });

    it('[I1] upgraded, lose nothing: the process goes on in its unit, the new agent hears how it ends, the run is completed', async () => {
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

  describe('of the coordinator', () => {
    const coordinator = () => lab().host('coord-1');
    const pid = async () => (await coordinator().unit(COORDINATOR, ['MainPID'])).MainPID;

    /** A run whose first step lasts until it is let go; the second is for whoever leads it then. */
    async function inTheMiddle() {
      await installSlowUnit(host());
      const run = await started(slowRunbook(lab(), host()), {});
      await run.accepted('started', 'mirror-1');
      await until('the unit to be started', () => starts(host()) === 1);
      return run;
    }

    afterEach(async () => {
      await removeSlowUnit(host());
      await installPackage(coordinator(), lab().packages.signalbox);
      await lab().settle(coordinator());
      await online();
    });

    it('[I1] upgraded: the step goes on, the new coordinator leads the run to its end, and nothing is done twice', async () => {
      const run = await inTheMiddle();
      const before = await pid();
      coordinator().put('/etc/signalbox/coordinator.env', '# mine\n', 0o600);
      await installPackage(coordinator(), newer.signalbox);
      expect((await coordinator().run(['signalbox', '--version'])).trim()).toBe(NEWER);
      expect(coordinator().get('/etc/signalbox/coordinator.env')).toBe('# mine\n');
      expect((await coordinator().unit(COORDINATOR, ['ActiveState'])).ActiveState).toBe('active');
      expect(await pid()).not.toBe(before);
      expect(run.record.outcome).toBeUndefined();

      letGo(host());
      expect(await run.ended()).toBe('completed');
      expect(starts(host())).toBe(1);
      expect(stepsBegun(run)).toEqual(['started', 'stopped']);
    });

    it('[I1] removed: what it had begun ends without it, and once it is installed again the run goes on', async () => {
      const run = await inTheMiddle();
      const kept = ['yaml', 'seed', 'env'].map((suffix) => `/etc/signalbox/coordinator.${suffix}`);
      await coordinator().run(['dpkg', '--remove', 'signalbox']);
      expect((await coordinator().unit(COORDINATOR, ['LoadState'])).LoadState).toBe('not-found');
      for (const path of ['/usr/lib/signalbox', '/usr/bin/signalbox'])
        expect(coordinator().has(path), path).toBe(false);
      for (const path of kept) expect(coordinator().has(path), path).toBe(true);
      letGo(host());
      const ended = async () => (await host().unit(SLOW_UNIT, ['ActiveState'])).ActiveState === 'active';
      await until('the step to end on its host', ended);

      await installPackage(coordinator(), lab().packages.signalbox);
      expect(await run.ended()).toBe('completed');
      expect(starts(host())).toBe(1);
      expect(stepsBegun(run)).toEqual(['started', 'stopped']);
    });

    it('purged: nothing of it is left, the agent beside it has what it had, and the mesh still knows its runs', async () => {
      const run = await inTheMiddle();
      letGo(host());
      await run.ended();
      await coordinator().run(['dpkg', '--purge', 'signalbox']);
      const named = ['(', '-name', '*signalbox*', '-o', '-path', '*/signalbox/*', ')'];
      const agents = ['*signalbox-agent*', '*signalbox-runner*', '/etc/signalbox/agent.*', '/var/lib/signalbox/agent*'];
      const others = [...agents, '/var/log/*'].flatMap((path) => ['-not', '-path', path]);
      const left = await coordinator().run(['find', '/etc', '/usr', '/var', '-xdev', ...named, ...others]);
      // Shared with the agent, and the lab's own programs, bound into the host.
      expect(left.trim().split('\n')).toEqual(['/etc/signalbox', '/usr/lib/signalbox-lab', '/var/lib/signalbox']);
      expect((await coordinator().unit(AGENT, ['ActiveState'])).ActiveState).toBe('active');

      await installPackage(coordinator(), lab().packages.signalbox);
      expect((await coordinator().unit(COORDINATOR, ['ActiveState', 'ConditionResult'])).ConditionResult).toBe('no');
      await lab().settle(coordinator());
      await online();
      expect((await signalbox(lab(), 'runs')).stdout).toContain(run.id);
    });
  });
});
