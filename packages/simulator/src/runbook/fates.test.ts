import { actionSpecs } from '@signalbox/actions';
import { probeSpecs } from '@signalbox/probes';
import { action, approval, gate, plan, serial } from '@signalbox/sequencer/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeSignaturesCheap } from '../keys.ts';
import { simulatePlan, simulatePlanOnce } from './fates.ts';
import { screenOf } from './screen.ts';

const catalogue = { actions: [...actionSpecs], probes: [...probeSpecs] };
const asked = {
  ...gate('quiet', 'h1', { forMs: 3_600_000, everyMs: 60_000, timeoutMs: 86_400_000 }),
  probe: 'systemd.unit',
};
const targets = [{ host: 'h1', with: { unit: 'x.service' }, until: { processes: { equals: 0 } } }];
const stopped = { ...action('stopped', 'h1'), action: 'systemd.stop' };
const gone = { ...action('gone', 'h2', { effect: 'irreversible', reversible: false }), action: 'exec.run' };
const made = plan([stopped, { ...asked, targets }, approval('go', { count: 3, role: 'approver' }), gone]);

beforeAll(makeSignaturesCheap);

describe('the days of a plan', () => {
  it('says for each step what became of the run when its host died there', async () => {
    const { fates, broken, storms } = await simulatePlan({ plan: made, catalogue, from: 1, seeds: 80 });
    expect(broken).toEqual([]);
    expect(fates.map(({ step, host }) => [step, host])).toEqual([
      ['stopped', 'h1'],
      ['quiet', 'h1'],
      ['go', null],
      ['gone', 'h2'],
    ]);
    for (const { days, finished, undone, held } of fates) expect([days, finished + undone + held]).toEqual([10, 10]);
    const [, , go, last] = fates;
    expect(go).toMatchObject({ finished: 10 });
    // What cannot be taken back and was interrupted is for a person.
    expect(last?.held).toBeGreaterThan(0);
    expect(last?.why.length).toBeGreaterThan(0);
    expect(Object.values(storms).reduce((sum, count) => sum + count, 0)).toBe(40);
    const screen = screenOf({ runbook: 'r', from: 1, days: 80, fates, storms, broken }).join('\n');
    expect(screen).toMatch(/go +\(coordinator\) +10 +10 +· +·/);
  });

  it('names the steps at which no host died', async () => {
    const { fates, storms } = await simulatePlan({ plan: made, catalogue, from: 1, seeds: 4 });
    const screen = screenOf({ runbook: 'r', from: 1, days: 4, fates, storms, broken: [] }).join('\n');
    expect(screen).toContain('not struck on these days: stopped on h1, gone on h2\n');
    expect(screen).toContain('--seeds 8 has one for each');
  });

  it('tells one of its days again, the same each time', async () => {
    const [first, second] = [
      await simulatePlanOnce({ plan: made, catalogue }, 6),
      await simulatePlanOnce({ plan: made, catalogue }, 6),
    ];
    expect(first.trace.join('\n')).toContain('h2 dies');
    expect(second.trace).toEqual(first.trace);
  });

  it('does not wait for nights that are weeks apart', async () => {
    const WEEK_MS = 7 * 24 * 3_600_000;
    const night = (week: number) => ({
      notBeforeMs: week * WEEK_MS,
      decideByMs: week * WEEK_MS + 7_200_000,
      onDeadline: 'hold' as const,
    });
    const nights = [1, 2].map((week) => ({
      ...serial(`night-${week}`, [{ ...action(`stopped-${week}`, 'h1'), action: 'systemd.stop' }]),
      timing: night(week),
    }));
    const { fates, broken } = await simulatePlan({ plan: plan(nights), catalogue, from: 1, seeds: 4 });
    expect(broken).toEqual([]);
    expect(fates.map(({ step, days }) => [step, days])).toEqual([
      ['stopped-1', 1],
      ['stopped-2', 1],
    ]);
  });
});
