import { type HostRecord, Plan } from '@signalbox/protocol';
import type { RunState } from '@signalbox/sequencer';
import { action, approval, gate, manual, parallel, plan, point, TestRun } from '@signalbox/sequencer/testing';
import { describe, expect, it } from 'vitest';
import { undoPlan } from './undo-plan.ts';

const RECEIPT = { kept: 'old' };

/** Hosts as they were when `plan` pinned them. */
function hostsOf(names: readonly string[], journal = (name: string) => `j-${name}`): HostRecord[] {
  return names.map((name) => {
    const health = {
      mesh: 'test',
      host: name,
      instance: 'i',
      journal: journal(name),
      machine: `m-${name}`,
      boot: 'b',
      version: '1',
    };
    const rest = {
      labels: {},
      actions: [],
      probes: [],
      facts: {},
      load: { agentRssBytes: 1 },
      running: [],
      sentAtMs: 1,
      critical: [],
    };
    return { name, labels: {}, key: `k-${name}`, seenAtMs: 1, health: { ...health, ...rest } };
  });
}

function undoOf(run: TestRun, hosts = hostsOf(['h1', 'h2'])) {
  return undoPlan(run.state, { run: 'book-1', hosts, madeBy: 'can', nowMs: 5, acceptLoss: false, sha256: 's' });
}

/** a on h1, b on h1 and h2, done, with receipts. */
function finished(): TestRun {
  const run = TestRun.start(
    plan([
      action('a', 'h1', { with: { file: '/x' } }),
      gate('again', 'h1', { only: 'undo' }),
      action('b', ['h1', 'h2']),
    ]),
  );
  run.accepted('a', 'h1', { old: 1 });
  run.done('a', 'h1', RECEIPT);
  run.done('b', 'h1', RECEIPT);
  run.done('b', 'h2', RECEIPT);
  return run;
}

describe('the undo of an earlier run', () => {
  it('[I4] takes back in reverse order what was done, from its receipts, behind an approval, with the gates of the way back', () => {
    const run = finished();
    expect(run.status).toBe('completed');
    const { plan: made } = undoOf(run);
    expect(Plan.parse(JSON.parse(JSON.stringify(made)))).toEqual(made);
    expect(made?.steps.map(({ id, kind }) => `${kind} ${id}`)).toEqual([
      'approval undo-approved',
      'action b',
      'gate again',
      'action a',
    ]);
    const last = made?.steps.at(-1);
    expect(last).toMatchObject({ action: 'earlier.undo', effect: 'irreversible', reversible: false });
    expect(last?.kind === 'action' && last.targets[0]?.with).toEqual({
      action: 'test.act',
      version: 1,
      with: { file: '/x' },
      receipt: { old: 1, ...RECEIPT },
      acceptLoss: false,
    });
    expect(made?.onFailure).toBe('hold');
  });

  it('[I4] is agreed to by as many people as the earlier plan wanted at its strictest, of the role that it wanted', () => {
    const rules = (...asked: ReturnType<typeof approval>[]) => {
      const run = TestRun.start(
        plan([action('a', 'h1'), ...asked, point('sealed', [], { approve: { notSubmitter: true } })]),
      );
      run.done('a', 'h1');
      run.abort('leave');
      const { plan: made } = undoOf(run);
      return made?.steps.flatMap((step) => (step.kind === 'approval' ? [[step.id, step.approve]] : []));
    };
    const message = 'Take book-1 back.';
    expect(rules()).toEqual([['undo-approved', { count: 1, notSubmitter: true, message }]]);
    const strict = approval('go', { count: 2, role: 'approver', validForMs: 5 });
    expect(rules(strict, approval('again'))).toEqual([
      ['undo-approved', { count: 2, notSubmitter: true, role: 'approver', message }],
    ]);
    expect(rules(strict, approval('again', { role: 'admin' }))).toMatchObject([
      ['undo-approved', { count: 2, role: 'approver' }],
      ['undo-approved-admin', { count: 2, role: 'admin' }],
    ]);
    // Resolved away when the plan was made, so never asked for.
    expect(rules(approval('go', { count: 3 }, { skip: 'when' }))).toMatchObject([['undo-approved', { count: 1 }]]);
  });

  it('proves what it has taken back: gates of a group on the way back, on the hosts that the run had come to', () => {
    const back = parallel('back', [gate('works', ['h1', 'h2']), gate('seen', 'h3')], { only: 'undo' });
    const later = gate('later', 'h1', { only: 'undo' });
    const run = TestRun.start(plan([back, action('a', 'h1'), later, approval('go'), action('b', 'h2')]));
    run.done('a', 'h1');
    run.abort('leave');
    const { plan: made } = undoOf(run, hostsOf(['h1', 'h2', 'h3']));
    const hosts = made?.steps.map((step) => [
      step.id,
      ...('targets' in step ? step.targets.map(({ host }) => host) : []),
    ]);
    expect(hosts).toEqual([['undo-approved'], ['a', 'h1'], ['seen', 'h3'], ['works', 'h1']]);
  });

  it('is refused for a run that goes on, or was taken back', () => {
    const run = TestRun.start(plan([action('a', 'h1'), action('b', 'h1')]));
    run.done('a', 'h1');
    expect(undoOf(run).refusals).toEqual([expect.stringContaining('is not over')]);
    run.abort();
    run.withdrawn();
    run.done('a', 'h1');
    expect(run.status).toBe('rolled-back');
    expect(undoOf(run).refusals).toEqual(['book-1 was taken back already']);
  });

  it('[I3] is refused beyond a point of no return, and where a step has no way back', () => {
    const run = TestRun.start(plan([action('a', 'h1', { effect: 'idempotent', reversible: false }), manual('told')]));
    run.done('a', 'h1');
    run.send({ type: 'confirm', step: 'told', by: { name: 'x', key: 'x', role: 'operator' }, note: 'n' });
    expect(undoOf(run).refusals).toEqual(['a (test.act) has no way back']);
    const sealed: RunState = { ...finished().state, crossed: ['no-way-back'] };
    const made = undoPlan(sealed, {
      run: 'book-1',
      hosts: hostsOf(['h1', 'h2']),
      madeBy: 'c',
      nowMs: 1,
      acceptLoss: false,
      sha256: '',
    });
    expect(made.refusals).toEqual(['book-1 has crossed no-way-back: there is no way back from there']);
  });

  it('is refused for a host that was installed anew: its receipts say nothing of it', () => {
    const refusals = undoOf(
      finished(),
      hostsOf(['h1', 'h2'], (name) => (name === 'h2' ? 'another' : `j-${name}`)),
    ).refusals;
    expect(refusals).toEqual([expect.stringMatching(/^h2 is not the host that it was/)]);
  });
});
