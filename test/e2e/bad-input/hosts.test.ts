import { join } from 'node:path';
import { until } from '@signalbox/protocol/testing';
import { describe, expect, it } from 'vitest';
import { sayTo } from '../../lab/child.ts';
import { PROGRAMS } from '../../lab/programs.ts';
import { workStep } from '../support/work.ts';
import { worldOfTest } from '../support/world.ts';

describe('two agents with the same name', () => {
  it('on one state folder: the second one leaves at once with 2', async () => {
    const world = await worldOfTest({ hosts: ['a-1'] });
    const { exitCode, stderr } = await sayTo([PROGRAMS.agent, '--config', world.mesh.etc('agent-a-1.yaml')]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('SB-AGENT-LOCKED');
    await world.online(['a-1']);
  });

  it('with folders of their own: one of them is told to leave, with SB-HOST-DUPLICATE, and the other goes on', async () => {
    const world = await worldOfTest({ hosts: ['a-1'] });
    const [host] = world.mesh.hosts;
    if (!host) throw new Error('a world without hosts');
    const settings = { ...world.mesh.agentSettings(host), stateDir: join(world.dir, 'state', 'second') };
    const file = world.mesh.write('agent-second.yaml', settings);
    const second = await sayTo([PROGRAMS.agent, '--config', file], { timeoutMs: 30_000 });
    expect(second.exitCode).toBe(2);
    expect(second.stderr).toContain('SB-HOST-DUPLICATE');
    await until('the coordinator to log it', () => world.logText('coordinator').includes('SB-HOST-DUPLICATE'));
    await world.online(['a-1']);
  });
});

describe('a runbook that needs a host that is offline', () => {
  it('is refused with 2 and changes nothing; --without is the word for going on', async () => {
    const world = await worldOfTest();
    const file = world.runbook('partial', workStep('done'));
    const plan = world.file('partial.plan');
    expect(await world.signalbox(['plan', file, '--out', plan])).toMatchObject({ exitCode: 0 });
    await world.mesh.stop('a-2');
    await until('a-2 to be missed', async () => {
      const { hosts, nowMs } = await world.operator.ask('hosts', {});
      return hosts.some(({ name, seenAtMs = 0 }) => name === 'a-2' && nowMs - seenAtMs > 10_500);
    });

    const planned = await world.signalbox(['plan', file]);
    expect(planned.exitCode).toBe(2);
    expect(planned.stderr).toContain('a-2');
    expect(planned.stderr).toContain('--without');
    const started = await world.signalbox(['start', plan, '--yes']);
    expect(started.exitCode).toBe(2);
    expect(started.stderr).toContain('SB-COORD-HOST');
    expect(started.stderr).toContain('a-2');
    expect(world.marks()).toEqual([]);
    expect((await world.operator.ask('runs', {})).runs).toEqual([]);

    expect(await world.signalbox(['start', file, '--yes', '--without', 'a-2'])).toMatchObject({ exitCode: 0 });
    expect(world.marks().map(({ command }) => command)).toEqual(['partial-1:done:a-1:do:1', 'partial-1:done:a-1:do:1']);
  });
});
