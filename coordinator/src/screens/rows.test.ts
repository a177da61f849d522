import type { ActionStep, Plan, RunEvent } from '@signalbox/protocol';
import { evolveEntry, initialState } from '@signalbox/sequencer';
import { describe, expect, it } from 'vitest';
import { rowsOf } from './rows.ts';
import { commandWork, cutoverPlan } from './testing/cutover.ts';

const HOSTS = ['miner-1', 'miner-2', 'miner-3'];

function step(number: number, written: string, batch: number, hosts: readonly string[]): ActionStep {
  const targets = hosts.map((host) => ({ host, with: {}, does: `do ${written}`, touches: [], exclusive: [] }));
  return {
    kind: 'action',
    id: `${written}[batch=${batch}]`,
    number,
    line: number,
    action: 'exec.run',
    version: 1,
    effect: 'idempotent',
    reversible: false,
    targets,
    timeoutMs: 1_000,
    retry: { attempts: 1, backoffMs: 0, retryOn: [] },
  };
}

/** A canary, then two: `[1, 2]` over three miners, two steps each. */
const plan: Plan = {
  ...cutoverPlan,
  hosts: HOSTS.map((name) => ({ name, labels: {}, journal: 'j', machine: 'm', key: 'U' })),
  downtime: [],
  steps: [
    {
      kind: 'group',
      id: 'miners-back',
      number: 1,
      line: 1,
      mode: 'batches',
      maxFailures: 1,
      children: [['miner-1'], ['miner-2', 'miner-3']].map((hosts, i) => ({
        kind: 'group',
        id: `miners-back[batch=${i + 1}]`,
        number: 1,
        line: 1,
        mode: 'serial',
        children: [step(1, 'upgraded', i + 1, hosts), step(2, 'started', i + 1, hosts)],
      })),
    },
  ],
};

function rows(...events: readonly RunEvent[]) {
  const created: RunEvent = {
    type: 'RunCreated',
    mesh: 'prod',
    runbook: 'r',
    planHash: 'h',
    by: { name: 'a', key: 'U' },
  };
  const entry = { atMs: 1_000, runMs: 1_000, events: [created, ...events] };
  const state = evolveEntry(initialState('r-1', plan), entry);
  return rowsOf({ state, runMs: 5_000, live: [] }).map(({ name, where, word, stage, detail }) => ({
    name,
    where,
    word,
    stage,
    detail,
  }));
}

const of = (id: string, host: string) => ({ step: id, host, direction: 'do', attempt: 1 }) as const;
const start = (id: string, host: string): RunEvent => ({ type: 'StepStarted', ...of(id, host), work: commandWork(id) });
const succeed = (id: string, host: string): RunEvent[] => [
  start(id, host),
  { type: 'StepSucceeded', ...of(id, host), via: 'report' },
];

describe('rows', () => {
  it('tell the hosts of all batches in one line, by how many are over', () => {
    const canary = [...succeed('upgraded[batch=1]', 'miner-1'), ...succeed('started[batch=1]', 'miner-1')];
    expect(rows(...canary, start('upgraded[batch=2]', 'miner-2'))).toEqual([
      { name: 'upgraded', where: '3 hosts', word: 'RUNNING', stage: 'active', detail: '1 of 3 over; do upgraded' },
      { name: 'started', where: '3 hosts', word: '1 of 3', stage: 'part', detail: 'do started' },
    ]);
  });

  it('[I5] show the worst of many hosts first', () => {
    const failure = { code: 'SB-AGENT-SILENT', class: 'unknown', message: 'miner-3 is silent', next: '-' } as const;
    const unknown: RunEvent = { type: 'StepUnknown', ...of('upgraded[batch=2]', 'miner-3'), failure };
    const [first] = rows(start('upgraded[batch=2]', 'miner-2'), start('upgraded[batch=2]', 'miner-3'), unknown);
    expect(first).toMatchObject({
      word: 'UNKNOWN',
      stage: 'bad',
      detail: 'miner-3 [SB-AGENT-SILENT] miner-3 is silent',
    });
  });

  it('count a dropped host as over, not as forgotten', () => {
    const dropped: RunEvent = { type: 'HostDropped', host: 'miner-3', group: null, reason: 'dead' };
    const rest = ['miner-1', 'miner-2'].flatMap((host, i) => succeed(`upgraded[batch=${i + 1}]`, host));
    expect(rows(...rest, dropped)[0]).toMatchObject({ word: 'done', stage: 'done' });
  });
});
