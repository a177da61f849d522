import type { PlanStep } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { settle } from '../testing/manual-clock.ts';
import { action, OPERATOR, World } from '../testing/world.ts';
import type { Runner } from './runner.ts';

const busy = { code: 'SB-TEST-BUSY', class: 'retryable', message: 'busy', next: 'wait' } as const;

async function started(world: World, change: (steps: PlanStep[]) => PlanStep[], window = {}): Promise<Runner> {
  const plan = { ...world.plan(change([action('one', ['a'])])), ...window };
  const { run } = await world.runs.create(JSON.stringify(plan), { by: OPERATOR, start: 's-1' });
  const runner = await world.runs.led(run);
  await settle();
  return runner;
}

/** How often somebody asks to be woken while the clock goes on. */
async function wakeUps(world: World, ms: number): Promise<number> {
  const { after } = world.ports.clock;
  let count = 0;
  Object.assign(world.ports.clock, {
    after: (...of: Parameters<typeof after>) => {
      count += 1;
      return after(...of);
    },
  });
  await world.clock.advance(ms);
  return count;
}

describe('a leader', () => {
  it('sleeps while a paused run has nothing to be woken for but a retry whose time has come', async () => {
    const world = new World(['a']);
    const retry = { attempts: 2, backoffMs: 1_000, retryOn: [] };
    const runner = await started(world, (steps) => steps.map((step) => ({ ...step, retry })));
    const [command] = world.commands();
    if (!command) throw new Error('nothing was sent');
    await world.report(command, { status: 'failed', failure: busy });
    await runner.submit({ type: 'pause', by: OPERATOR, note: undefined });
    expect(await wakeUps(world, 10_000)).toBeLessThan(100);
    await runner.submit({ type: 'resume', by: OPERATOR, note: undefined });
    expect(world.commands()).toHaveLength(2);
  });

  it('is woken for a window that opens while what it decided is on its way into the log', async () => {
    const world = new World(['a']);
    const notBeforeMs = world.clock.wallMs() + 10_000;
    const runner = await started(world, (steps) => steps, { window: { notBeforeMs } });
    await world.clock.advance(9_999);
    const { append } = world.bus;
    world.bus.append = async (...of) => {
      await new Promise<void>((resolve) => world.clock.after(2, resolve));
      return await append.call(world.bus, ...of);
    };
    const noted = runner.submit({ type: 'note', by: OPERATOR, text: 'any moment now' });
    await world.clock.advance(2);
    await noted;
    expect(world.commands()).toEqual([]);
    await world.clock.advance(10);
    expect(world.commands()).toHaveLength(1);
  });

  it('acts on a deadline that passed while nobody led', async () => {
    const world = new World(['a']);
    const timing = { decideByMs: world.clock.wallMs() + 10_000 };
    await started(world, (children) => [
      { kind: 'group', id: 'cutover', number: 1, line: 1, mode: 'serial', children, timing },
    ]);
    world.clock.wallOffsetMs += 60_000;
    await world.restart();
    await world.clock.advance(100);
    const runner = await world.runs.led('book-1');
    expect(runner.state.reasons.map(({ cause, step }) => [cause, step])).toEqual([['deadline', 'cutover']]);
  });

  it('acts on a deadline within half a minute when its wall clock was set past it, with nothing else going on', async () => {
    const world = new World(['a']);
    const timing = { decideByMs: world.clock.wallMs() + 3_600_000 };
    const runner = await started(world, (children) => [
      { kind: 'group', id: 'cutover', number: 1, line: 1, mode: 'serial', children, timing },
    ]);
    await runner.submit({ type: 'pause', by: OPERATOR, note: undefined });
    world.clock.wallOffsetMs += 3_600_000;
    await world.clock.advance(31_000);
    expect(runner.state.reasons.map(({ cause, step }) => [cause, step])).toEqual([['deadline', 'cutover']]);
  });
});
