import { until } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LabRun } from './lab-run.ts';
import { LAB_IS_THERE, sharedLab, started } from './shared-lab.ts';
import { hostStates } from './signalbox.ts';
import {
  installRunawayProgram,
  installSlowUnit,
  letGo,
  removeSlowUnit,
  runaway,
  SLOW_UNIT,
  slowProgramRunbook,
  slowRunbook,
  starts,
  stepUnits,
} from './slow-unit.ts';

const lab = () => sharedLab();
const host = () => lab().host('mirror-1');
const online = () => until('mirror-1 to be online', async () => (await hostStates(lab()))['mirror-1'] === 'online');

/** A run in the middle of its first step: the unit is being started, and its start lasts. */
async function inTheMiddle(): Promise<LabRun> {
  const run = await started(slowRunbook(lab(), host()), {});
  await run.accepted('started', 'mirror-1');
  await until('the unit to be started', () => starts(host()) === 1);
  return run;
}

describe.runIf(LAB_IS_THERE)('a host that something happens to in the middle of a step', () => {
  beforeEach(() => installSlowUnit(host()));
  afterEach(async () => {
    await online();
    await removeSlowUnit(host());
  });

  it.each([
    ['runner', 'signalbox-runner.service'],
    ['agent', 'signalbox-agent.service'],
  ])('[I1] [I5] %s killed: the next one finds out how the step went, and nothing is started twice', async (_, unit) => {
    const run = await inTheMiddle();
    await host().run(['systemctl', 'kill', '--signal=KILL', '--kill-whom=main', unit]);
    letGo(host());
    expect(await run.ended()).toBe('completed');
    expect(starts(host())).toBe(1);
  });

  it('ended at its timeout, with all that it had started, wherever that went', async () => {
    installRunawayProgram(host());
    const run = await started(slowProgramRunbook(lab(), host(), { timeout: '2s' }), {});
    expect(await run.ended()).toBe('rolled-back');
    expect(starts(host())).toBe(1);
    expect((await host().exec(['kill', '-0', runaway(host())])).exitCode).toBe(1);
    await until('its unit to be gone', async () => (await stepUnits(host())).length === 0);
  });

  it('[I5] [I11] power cut: unknown until the host is back, then what systemd did at boot is what counts', async () => {
    await host().run(['systemctl', 'enable', SLOW_UNIT]);
    const run = await inTheMiddle();
    await host().powerOff();
    await run.event('mirror-1 silent', ({ type }) => type === 'HostSilent');
    expect(run.record.outcome).toBeUndefined();
    await host().powerOn({ wait: false });
    await until('systemd to start the unit at boot', () => starts(host()) === 2);
    letGo(host());
    expect(await run.ended()).toBe('completed');
    expect(starts(host())).toBe(2);
  });

  it('[I5] power cut: a step of which nothing is left is tried again only after the probe has said so', async () => {
    const run = await inTheMiddle();
    await host().powerOff();
    await host().powerOn();
    letGo(host());
    expect(await run.ended()).toBe('completed');
    const decisive = run.events.filter((event) => 'step' in event && event.step === 'started').map(({ type }) => type);
    expect(decisive).toEqual([
      ...['StepStarted', 'StepAccepted', 'StepUnknown', 'StepReset'],
      ...['StepStarted', 'StepAccepted', 'StepSucceeded'],
    ]);
    expect(run.events).toContainEqual(expect.objectContaining({ type: 'StepUnknown', probed: 'not-applied' }));
    expect(starts(host())).toBe(2);
  });

  it('[I5] cut off: the step ends on the host, and its report comes when the network is back', async () => {
    const run = await inTheMiddle();
    await host().cut();
    letGo(host());
    await run.event('mirror-1 silent', ({ type }) => type === 'HostSilent');
    expect(run.events.some(({ type }) => type === 'StepSucceeded')).toBe(false);
    await host().heal();
    expect(await run.ended()).toBe('completed');
    expect(starts(host())).toBe(1);
  });
});
