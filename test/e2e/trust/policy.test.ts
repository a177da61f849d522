import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workStep } from '../support/work.ts';
import { World } from '../support/world.ts';

const POLICY = `allow:
  actions: [exec.run]
  probes: [systemd.unit]
  units: [r3mes-*.service]
  commands:
    - [work, allowed]
    - [work, undo-allowed]
    - [uptime]
`;

/** A policy belongs to root, and only root can make one. */
describe.skipIf(process.getuid?.() !== 0)("the policy of a host's owner", () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ hosts: ['a-1'], policy: POLICY });
  });
  afterAll(() => world.end());

  it('stops a plan before it starts, and `start` as well', async () => {
    const file = world.runbook('forbidden', workStep('allowed') + workStep('forbidden'));
    const planned = await world.signalbox(['plan', file]);
    expect(planned.stdout).toContain('forbidden on a-1');
    expect(planned.stdout).toContain('[SB-POLICY-COMMAND]');
    expect(planned.stdout).not.toContain('allowed on a-1:');
    const rehearsed = await world.signalbox(['rehearse', file]);
    expect(rehearsed).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('SB-POLICY-COMMAND') });
    expect((await world.signalbox(['start', file, '--yes'])).exitCode).not.toBe(0);
    expect(world.marks()).toEqual([]);
  });

  it('finds an action that is not allowed in the runbook itself, at its line', async () => {
    const steps = '- id: stopped\n  hosts: first\n  do: systemd.stop\n  with: { unit: a.service }\n';
    const { exitCode, stderr, stdout } = await world.signalbox(['plan', world.runbook('units', steps)]);
    expect([exitCode, stdout + stderr]).toEqual([2, expect.stringContaining('SB235')]);
  });

  it('holds for `exec` and for probes, and lets through what it allows', async () => {
    const said = async (args: string[]) => {
      const { stdout, stderr } = await world.signalbox(args);
      return stdout + stderr;
    };
    expect(await said(['exec', '--hosts', 'a-1', '--effect', 'read', '--', 'id'])).toContain('SB-POLICY-COMMAND');
    expect(await said(['exec', '--hosts', 'a-1', '--effect', 'read', '--', 'uptime'])).toContain('load average');
    expect(await said(['probe', 'host.facts', '--hosts', 'a-1'])).toContain('SB-POLICY-PROBE');
    expect(await said(['probe', 'systemd.unit', '--hosts', 'a-1', '--with', 'unit=sshd.service'])).toContain(
      'SB-POLICY-UNIT',
    );
    const { exitCode } = await world.signalbox(['start', world.runbook('fine', workStep('allowed')), '--yes']);
    expect(exitCode).toBe(0);
    expect(world.marks().map(({ what, name }) => `${what} ${name}`)).toEqual(['begin allowed', 'end allowed']);
  });
});
