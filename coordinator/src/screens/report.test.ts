import type { GroupStep, ManualStep, Plan } from '@signalbox/protocol';
import { evolveEntry, initialState } from '@signalbox/sequencer';
import { describe, expect, it } from 'vitest';
import { reportScreen } from './report.ts';
import { reportOf } from './report-model.ts';
import { AYSE, begunLog, cutoverPlan, T0 } from './testing/cutover.ts';
import { gateHeldInput } from './testing/scenes.ts';

const item = (id: string): ManualStep => ({ kind: 'manual', id, number: 1, line: 1, do: 'Note it.', changes: false });
const list = (id: string, rest: Partial<GroupStep>): GroupStep => {
  return { kind: 'group', id, number: 1, line: 1, mode: 'serial', checklist: true, children: [], ...rest };
};
const withChecklist: Plan = {
  ...cutoverPlan,
  downtime: [],
  steps: [
    list('before', { children: [...cutoverPlan.steps.slice(0, 1), item('told'), item('watched')] }),
    ...cutoverPlan.steps.slice(1),
    list('after', { skip: 'when: checklist is false', children: [] }),
  ],
};

function report() {
  const { state, entries, nowMs } = gateHeldInput();
  return reportOf(state, entries, nowMs);
}

describe('the report', () => {
  it('tells outcome, clocks, gates with what passed them, and who said what', () => {
    expect(reportScreen(report(), { format: 'text', timeZone: 'UTC' })).toEqual([
      'REPORT mongodb-cutover-3: held   mesh prod',
      '',
      'outcome',
      '  outcome  held',
      '  runbook  mongodb-cutover',
      '  plan     7f3a91c2',
      '  started  2026-11-21 02:00 by ayse',
      '  ended    not yet',
      '  took     29m40s',
      '',
      'clocks',
      '  writes  12:25  of 10:00, OVER BUDGET',
      '',
      'gates',
      '  window-enough  mirror-1  02:01:00  windowSeconds 219600',
      '  mirror-alive   mirror-1  02:03:00  unitState active',
      '  source-quiet   mirror-1  02:17:37  writes 0',
      '',
      'steps',
      '  1   window-enough          mirror-1  succeeded  2.1s',
      '  2   ttl-paused             mirror-1  succeeded  4s',
      '  3   mirror-alive           mirror-1  succeeded  2.1s',
      '  4   readers-moved[crud]    kube-1    succeeded  30s',
      '  4   readers-moved[lite]    kube-1    succeeded  30s',
      '  4   readers-moved[export]  kube-1    succeeded  30s',
      '  5   writers-stopped[rtu]   kube-1    succeeded  2.1s',
      '  5   writers-stopped[svc]   kube-1    succeeded  2.1s',
      '  6   source-quiet           mirror-1  succeeded  2.1s',
      '  7   lag-zero               mirror-1  failed',
      '  8   mirror-stopped         mirror-1  pending',
      '  9   no-way-back                      pending',
      '  10  writers-started[rtu]   kube-1    pending',
      '  10  writers-started[svc]   kube-1    pending',
      '  11  first-write-seen       mirror-1  pending',
      '',
      'who said what',
      '  02:00:00  started by ayse, plan 7f3a91c2',
      '  02:18:10  mehmet note "CRM team told"',
      '  02:29:20  page acknowledged by ayse',
    ]);
  });

  it('says what steps put on record, long lists not to their end', () => {
    const receipt = {
      own: { backup: '/var/backups/a.tar' },
      packages: Array.from({ length: 40 }, (_, i) => `package-${i}==1.0`),
    };
    const { state, entries, nowMs } = begunLog().done(900, 'writers-stopped[rtu]', 'kube-1', { receipt }).input(901);
    const lines = reportScreen(reportOf(state, entries, nowMs), { format: 'text', timeZone: 'UTC' });
    expect(lines).toContain('  writers-stopped[rtu]  kube-1  backup    /var/backups/a.tar');
    expect(lines.find((line) => line.includes('packages'))).toMatch(/package-0==1\.0.*\.\.$/);
  });

  it('is Markdown for a ticket', () => {
    const lines = reportScreen(report(), { format: 'md', timeZone: 'UTC' });
    expect(lines.slice(0, 8)).toEqual([
      '# mongodb-cutover-3: held',
      '',
      'Mesh prod, runbook mongodb-cutover, plan `7f3a91c2`.',
      '',
      '## Outcome',
      '',
      '| what | value |',
      '| --- | --- |',
    ]);
    expect(lines).toContain('| 02:18:10 | mehmet note "CRM team told" |');
  });

  it('does not let a note become markup', () => {
    const log = begunLog().add(900, { type: 'NoteAdded', by: { name: 'eve', key: 'U' }, text: '| <b>x</b> | ' });
    const { state, entries, nowMs } = log.input(901);
    const lines = reportScreen(reportOf(state, entries, nowMs), { format: 'md', timeZone: 'UTC' });
    expect(lines).toContain('| 02:15:00 | eve note "\\| \\<b\\>x\\</b\\> \\| " |');
  });

  it('lists a checklist: how each item was answered, by whom, when and with what; and one that was left out', () => {
    const log = begunLog().add(
      900,
      {
        type: 'StepStarted',
        step: 'told',
        host: null,
        direction: 'do',
        attempt: 1,
        work: { kind: 'manual', text: 'x' },
      },
      {
        ...{ type: 'StepSucceeded', step: 'told', host: null, direction: 'do', attempt: 1, via: 'operator' },
        ...{ by: AYSE, note: 'mail to |all|' },
      },
    );
    const { entries } = log;
    const state = entries.reduce(evolveEntry, initialState('mongodb-cutover-3', withChecklist));
    const lines = reportScreen(reportOf(state, entries, T0 + 901_000), { format: 'text', timeZone: 'UTC' });
    const from = lines.indexOf('checklist');
    expect(lines.slice(from, lines.indexOf('', from))).toEqual([
      'checklist',
      '  after                                          left out                   when: checklist is false',
      '  window-enough  mirror-1  measured, test.probe  succeeded        02:01:00  windowSeconds 219600',
      '  told                     confirmed             succeeded  ayse  02:15:00  mail to |all|',
      '  watched                  confirmed             pending',
    ]);
  });

  it('names what is left to do by hand', () => {
    const leftovers = [
      { step: 'readers-moved[crud]', host: 'kube-1', what: 'move (done and left)', byHand: 'old env' },
    ];
    const log = begunLog().add(900, { type: 'Ended', outcome: 'aborted', leftovers });
    const { state, entries, nowMs } = log.input(901);
    const lines = reportScreen(reportOf(state, entries, nowMs), { format: 'text', timeZone: 'UTC' });
    expect(lines.slice(-2)).toEqual([
      'left to do by hand',
      '  readers-moved[crud] on kube-1  move (done and left)  old env',
    ]);
  });
});
