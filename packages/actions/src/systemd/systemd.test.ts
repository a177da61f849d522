import { spawn } from 'node:child_process';
import { type Applied, commandByHand } from '@signalbox/protocol';
import { codeOf, LocalHost, StandInUnits, type UnitHooks, type UnitProperties } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';
import type { Action, Begun } from '../contract.ts';

const UNIT = 'remesd.service';
const RUNNING = { ActiveState: 'active', SubState: 'running', MainPID: 4194304 };

let real: LocalHost;
let host: LocalHost;
let units: StandInUnits;

beforeEach(async () => {
  real = await LocalHost.create();
  host = real.withFastClock();
  units = await new StandInUnits(real).install();
});
afterEach(() => real[Symbol.asyncDispose]());

function action(name: string): Action {
  const found = actionByName.get(name);
  if (!found) throw new Error(`no action ${name}`);
  return found;
}

const given = (properties: UnitProperties, hooks: UnitHooks = {}) => units.add(UNIT, properties, hooks);
const state = () => units.get(UNIT, 'ActiveState');

async function doIt(name: string, input: object = {}) {
  const { before } = await action(name).check(host, { unit: UNIT, ...input });
  return { ...before, ...(await action(name).run(host, { unit: UNIT, ...input }, before)) };
}

async function undoIt(name: string, receipt: object, input: object = {}) {
  return action(name).undo?.(host, { unit: UNIT, ...input }, { ...receipt });
}

describe('what is typed by hand', () => {
  it.each([
    ['systemd.stop', RUNNING, 'active'],
    ['systemd.start', {}, 'inactive'],
  ])('takes %s back', async (name, properties, before) => {
    await given(properties);
    expect(await state()).toBe(before);
    const receipt = await doIt(name);
    const command = commandByHand(action(name).byHand ?? '', { unit: UNIT }, receipt) ?? '';
    expect((await host.exec(['sh', '-c', command])).exitCode).toBe(0);
    expect(await state()).toBe(before);
  });
});

describe('systemd.stop', () => {
  it('stops, and undo starts it again', async () => {
    await given(RUNNING);
    const receipt = await doIt('systemd.stop');
    expect(receipt).toMatchObject({ activeState: 'active', subState: 'running', unitFileState: 'enabled' });
    expect(await state()).toBe('inactive');
    expect(await undoIt('systemd.stop', receipt)).toEqual({ started: true });
    expect(await state()).toBe('active');
  });

  it('undo starts it anew when it came up meanwhile: at boot, from files that were changed then', async () => {
    await given({ ...RUNNING, InvocationID: 'before' });
    const receipt = await doIt('systemd.stop');
    await given({ ...RUNNING, InvocationID: 'at boot' });
    expect(await undoIt('systemd.stop', receipt)).toEqual({ started: true });
    expect(await units.verbs(UNIT)).toEqual(['stop', 'stop', 'start']);
  });

  it('[I5] a way back that was begun and not carried out is not taken for done, because the unit came up before it', async () => {
    const at = (ms: number) => ({ InactiveExitTimestampMonotonic: ms * 1_000 });
    await given({ ...RUNNING, ...at(1_000), InvocationID: 'before' });
    const receipt = await doIt('systemd.stop');
    const ask = (begun?: Begun) =>
      action('systemd.stop').probe(host, { unit: UNIT }, { direction: 'undo', receipt, ...(begun && { begun }) });
    const begun = { atMs: 0, monotonicMs: 5_000 };
    expect(await ask(begun)).toBe('not-applied');
    await given({ ...RUNNING, ...at(3_000), InvocationID: 'at boot' });
    expect(await ask(begun)).toBe('not-applied');
    // By the way back itself; in a boot after it; by who knows what.
    await given({ ...RUNNING, ...at(5_500), InvocationID: 'anew' });
    expect([await ask(begun), await ask({ atMs: 0 }), await ask()]).toEqual(['applied', 'applied', 'applied']);
    // Never stopped.
    await given({ ...RUNNING, ...at(1_000), InvocationID: 'before' });
    expect(await ask(begun)).toBe('applied');
  });

  it('undo leaves a unit alone that was never stopped, and one that was down before', async () => {
    await given({ ...RUNNING, InvocationID: 'before' });
    const { before } = await action('systemd.stop').check(host, { unit: UNIT });
    expect(await undoIt('systemd.stop', before)).toEqual({ started: false });
    await given({});
    const down = await doIt('systemd.stop');
    await given({ ...RUNNING, InvocationID: 'at boot' });
    expect(await undoIt('systemd.stop', down)).toEqual({ started: false });
    expect(await units.verbs(UNIT)).not.toContain('start');
  });

  it('[T06] does not believe systemd while the old main process lives on', async () => {
    const survivor = spawn('sleep', ['1000'], { stdio: 'ignore' });
    try {
      await given({ ...RUNNING, MainPID: survivor.pid ?? 0 });
      expect(await codeOf(doIt('systemd.stop'))).toBe('SB-ACT-UNIT-ALIVE');
      expect(await state()).toBe('inactive');
    } finally {
      survivor.kill('SIGKILL');
    }
  });

  it('[T06] does not believe systemd while it counts tasks in the unit', async () => {
    await given({ ...RUNNING, TasksCurrent: 3 });
    expect(await codeOf(doIt('systemd.stop'))).toBe('SB-ACT-UNIT-ALIVE');
  });

  it('leaves a unit down on the way back that was down before', async () => {
    await given({});
    const receipt = await doIt('systemd.stop');
    expect(await undoIt('systemd.stop', receipt)).toEqual({ started: false });
    expect(await units.verbs(UNIT)).not.toContain('start');
  });

  it('[T22] undo is not done when the unit does not stay up', async () => {
    await given(RUNNING, { start: 'put ActiveState activating; put SubState auto-restart' });
    const receipt = await doIt('systemd.stop');
    expect(await codeOf(Promise.resolve(undoIt('systemd.stop', receipt)))).toBe('SB-ACT-UNIT-UNSTABLE');
  });

  it('cannot be undone blindly when nobody recorded what was before', async () => {
    await given({});
    expect(await codeOf(Promise.resolve(undoIt('systemd.stop', {})))).toBe('SB-ACT-NO-RECEIPT');
    await given(RUNNING);
    expect(await undoIt('systemd.stop', {})).toEqual({ started: false });
  });

  it('[I10] masks the unit when told to, and undo takes the mask off first', async () => {
    await given(RUNNING);
    const receipt = await doIt('systemd.stop', { mask: true });
    expect(await units.get(UNIT, 'LoadState')).toBe('masked');
    await undoIt('systemd.stop', receipt, { mask: true });
    expect(await units.verbs(UNIT)).toEqual(['stop', 'mask', 'unmask', 'start']);
  });

  it('[I10] says at plan time that a unit in /etc cannot be masked, and does not claim it afterwards', async () => {
    await given({ ...RUNNING, FragmentPath: `/etc/systemd/system/${UNIT}` }, { mask: ':' });
    const { problems } = await action('systemd.stop').check(host, { unit: UNIT, mask: true });
    expect(problems.map((p) => p.code)).toEqual(['SB-ACT-MASK-OUTRANKED']);
    expect(await codeOf(doIt('systemd.stop', { mask: true }))).toBe('SB-ACT-MASK-OUTRANKED');
  });

  it('names an unknown unit as a problem of the plan', async () => {
    const { problems } = await action('systemd.stop').check(host, { unit: 'other.service' });
    expect(problems.map((p) => p.code)).toEqual(['SB-ACT-UNIT-MISSING']);
  });

  it('takes no unit that could be read as an option', () => {
    const { schema } = action('systemd.stop');
    for (const unit of ['--now', '-H.service', '../x.service', 'a b.service', 'remesd']) {
      expect(schema.safeParse({ unit }).success, unit).toBe(false);
    }
    expect(schema.safeParse({ unit: 'getty@tty1.service' }).success).toBe(true);
  });
});

describe('systemd.start', () => {
  it('has a unit started at boot where that is wanted, before it runs; undo takes that back where it was not so', async () => {
    await given({ UnitFileState: 'disabled' });
    const receipt = await doIt('systemd.start', { enable: true });
    await undoIt('systemd.start', receipt, { enable: true });
    expect(await units.verbs(UNIT)).toEqual(['enable', 'start', 'disable', 'stop']);
    await given({ UnitFileState: 'enabled' });
    await undoIt('systemd.start', await doIt('systemd.start', { enable: true }), { enable: true });
    expect(await units.get(UNIT, 'UnitFileState')).toBe('enabled');
  });

  it('does not believe that a unit without [Install] is started at boot', async () => {
    await given({ UnitFileState: 'static' }, { enable: ':' });
    expect(await codeOf(doIt('systemd.start', { enable: true }))).toBe('SB-ACT-UNIT-NOT-ENABLED');
  });

  it('[T22] finds a crash loop that systemd calls active each time it is asked', async () => {
    const crashes = `n=$(sed -n 's/^NRestarts=//p' "$unit"); if grep -q ^ActiveState=active "$unit"; then put NRestarts $((n + 1)); fi`;
    await given({}, { show: crashes });
    expect((await host.exec(['systemctl', 'start', UNIT])).exitCode).toBe(0);
    expect(await state()).toBe('active');
    await given({}, { show: crashes });
    expect(await codeOf(doIt('systemd.start'))).toBe('SB-ACT-UNIT-UNSTABLE');
  });

  it('[T22] finds a main process that was replaced without a counted restart', async () => {
    await given({}, { show: `if grep -q ^ActiveState=active "$unit"; then put MainPID $$; fi` });
    expect(await codeOf(doIt('systemd.start'))).toBe('SB-ACT-UNIT-UNSTABLE');
  });

  it('[T22] finds a program that ends during the window', async () => {
    const dies = `if grep -q ^ActiveState=active "$unit"; then c="$unit.seen"; echo x >> "$c";
      if [ $(wc -l < "$c") -ge 3 ]; then put ActiveState failed; put SubState failed; fi; fi`;
    await given({}, { show: dies });
    expect(await codeOf(doIt('systemd.start'))).toBe('SB-ACT-UNIT-UNSTABLE');
  });

  it('starts and stays; undo stops it again, also after a crash loop', async () => {
    await given({});
    const receipt = await doIt('systemd.start');
    expect(await state()).toBe('active');
    await given({ ActiveState: 'activating', SubState: 'auto-restart', NRestarts: 7 });
    expect(await undoIt('systemd.start', receipt)).toEqual({ stopped: true });
    expect(await state()).toBe('inactive');
  });

  it('leaves a unit running on the way back that ran before', async () => {
    await given(RUNNING);
    const receipt = await doIt('systemd.start');
    expect(await undoIt('systemd.start', receipt)).toEqual({ stopped: false });
    expect(await state()).toBe('active');
  });

  it('frees a start limit that a crash loop used up', async () => {
    await given(
      { ActiveState: 'failed', SubState: 'failed', NRestarts: 5 },
      { start: 'if grep -q ^ActiveState=failed "$unit"; then exit 1; fi; put ActiveState active; put MainPID 7' },
    );
    await doIt('systemd.start');
    expect(await units.verbs(UNIT)).toEqual(['reset-failed', 'start']);
  });

  it('refuses a masked unit, at plan time already', async () => {
    await given({ LoadState: 'masked' });
    const { problems } = await action('systemd.start').check(host, { unit: UNIT });
    expect(problems.map((p) => p.code)).toEqual(['SB-ACT-UNIT-MASKED']);
    expect(await codeOf(doIt('systemd.start'))).toBe('SB-ACT-UNIT-MASKED');
  });
});

describe('systemd.mask', () => {
  const DOWN = { ActiveState: 'inactive', SubState: 'dead', MainPID: 0 };

  it('[I10] keeps a unit down that is down, and gives it back as it was', async () => {
    await given(DOWN);
    const receipt = await doIt('systemd.mask');
    expect(await codeOf(doIt('systemd.start'))).toBe('SB-ACT-UNIT-MASKED');
    expect(await undoIt('systemd.mask', receipt)).toEqual({ unmasked: true });
    expect(await units.verbs(UNIT)).toEqual(['mask', 'unmask']);
  });

  it('leaves a mask that was there before, and a unit that runs', async () => {
    await given({ ...DOWN, LoadState: 'masked', UnitFileState: 'masked-runtime' });
    expect(await undoIt('systemd.mask', await doIt('systemd.mask'))).toEqual({ unmasked: false });
    await given(RUNNING);
    const { problems } = await action('systemd.mask').check(host, { unit: UNIT });
    expect(problems.map((p) => p.code)).toEqual(['SB-ACT-UNIT-ACTIVE']);
    expect(await codeOf(doIt('systemd.mask'))).toBe('SB-ACT-UNIT-ACTIVE');
  });

  it('is taken off by the start that says so, and put on again by its undo; one set for good stays', async () => {
    await given(DOWN);
    await doIt('systemd.mask');
    const receipt = await doIt('systemd.start', { unmask: true });
    expect(await state()).toBe('active');
    await undoIt('systemd.start', receipt, { unmask: true });
    expect(await units.get(UNIT, 'LoadState')).toBe('masked');
    await given({ ...DOWN, LoadState: 'masked', UnitFileState: 'masked' }, { unmask: ':' });
    const { problems } = await action('systemd.start').check(host, { unit: UNIT, unmask: true });
    expect(problems.map((p) => p.code)).toEqual(['SB-ACT-UNIT-MASKED']);
    expect(await codeOf(doIt('systemd.start', { unmask: true }))).toBe('SB-ACT-UNIT-MASKED');
  });
});

describe('systemd.restart', () => {
  const restart = 'put ActiveState active; put SubState running; put MainPID 99';

  it('tells a restarted unit from one that was left alone', async () => {
    await units.add(UNIT, RUNNING);
    await real.write(`units/${UNIT}.restart`, restart);
    const { before } = await action('systemd.restart').check(host, { unit: UNIT });
    const asked = { direction: 'do', receipt: before } as const;
    expect(await action('systemd.restart').probe(host, { unit: UNIT }, asked)).toBe('not-applied');
    await action('systemd.restart').run(host, { unit: UNIT }, before);
    expect(await action('systemd.restart').probe(host, { unit: UNIT }, asked)).toBe('applied');
    expect(await undoIt('systemd.restart', before)).toEqual({ stopped: false });
  });
});

describe('what a probe says after a crash [I5]', () => {
  const was = { up: { activeState: 'active' }, down: { activeState: 'inactive' } };
  const CASES: [string, UnitProperties, 'do' | 'undo', object, Applied][] = [
    ['systemd.stop', RUNNING, 'do', was.up, 'not-applied'],
    ['systemd.stop', { ActiveState: 'deactivating' }, 'do', was.up, 'in-progress'],
    ['systemd.stop', { ActiveState: 'activating', SubState: 'auto-restart' }, 'do', was.up, 'not-applied'],
    ['systemd.stop', { ActiveState: 'activating', SubState: 'auto-restart' }, 'undo', was.up, 'partial'],
    ['systemd.stop', { TasksCurrent: 2 }, 'do', was.up, 'partial'],
    ['systemd.stop', {}, 'do', was.up, 'applied'],
    ['systemd.stop', {}, 'undo', was.up, 'not-applied'],
    ['systemd.stop', {}, 'undo', was.down, 'applied'],
    ['systemd.stop', RUNNING, 'undo', was.up, 'applied'],
    ['systemd.start', {}, 'do', was.down, 'not-applied'],
    ['systemd.start', RUNNING, 'do', was.down, 'applied'],
    ['systemd.start', { ActiveState: 'activating', SubState: 'start-pre' }, 'do', was.down, 'in-progress'],
    ['systemd.start', { ActiveState: 'activating', SubState: 'auto-restart' }, 'do', was.down, 'partial'],
    ['systemd.start', RUNNING, 'undo', was.down, 'not-applied'],
    ['systemd.start', RUNNING, 'undo', was.up, 'applied'],
  ];
  it.each(CASES)('%s with the unit %j, %s, before %j: %s', async (name, properties, direction, receipt, wanted) => {
    await given(properties);
    expect(await action(name).probe(host, { unit: UNIT }, { direction, receipt: { ...receipt } })).toBe(wanted);
  });
});
