import type { HostRecord, ReplyBody } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { doctorScreen } from './doctor.ts';
import { hostsScreen } from './hosts.ts';
import { chosenRuns, runsScreen } from './runs.ts';
import { T0 } from './testing/cutover.ts';

describe('runs', () => {
  const run = (id: string, status: string, createdAtMs: number) => ({
    run: id,
    runbook: 'r',
    status,
    createdAtMs,
    by: 'ayse',
  });
  const runs = [
    { ...run('a-1', 'completed', T0), endedAtMs: T0 + 90_000 },
    run('a-2', 'held', T0 + 3_600_000),
    run('b-1', 'unreadable: SB-RUN-LOG', 0),
  ];
  const nowMs = T0 + 7_200_000;

  it('are listed with the name of the mesh', () => {
    expect(runsScreen('prod', runs, { nowMs, timeZone: 'UTC' })).toEqual([
      'mesh prod   3 runs',
      '',
      'run  status                  started           took   by',
      'a-1  COMPLETED               2026-11-21 02:00  1m30s  ayse',
      'a-2  HELD                    2026-11-21 03:00  1h     ayse',
      'b-1  UNREADABLE: SB-RUN-LOG                           ayse',
    ]);
    expect(runsScreen('prod', [], { nowMs })).toEqual(['mesh prod   no runs']);
  });

  it('are chosen by what is not over and by age; one that cannot be read counts as not over', () => {
    expect(chosenRuns(runs, { active: true, nowMs }).map((r) => r.run)).toEqual(['a-2', 'b-1']);
    expect(chosenRuns(runs, { sinceMs: 4_000_000, nowMs }).map((r) => r.run)).toEqual(['a-2']);
  });
});

describe('hosts', () => {
  const health = (more: object = {}): NonNullable<HostRecord['health']> => ({
    mesh: 'prod',
    host: 'x',
    instance: 'i',
    journal: 'j',
    machine: 'm',
    boot: 'b',
    version: '0.1.0',
    labels: {},
    actions: [],
    probes: [],
    facts: {},
    load: { cpuPercent: 12.4, memoryPercent: 40, agentRssBytes: 66 * 1_048_576 },
    running: ['c1'],
    sentAtMs: T0,
    ...more,
  });
  const reply: ReplyBody<'hosts'> = {
    nowMs: T0,
    problems: [],
    hosts: [
      { name: 'node-1', key: 'U', labels: { role: 'node' }, seenAtMs: T0 - 400, health: health() },
      { name: 'miner-1', key: 'U', labels: {}, seenAtMs: T0 - 60_000, health: health(), skewMs: 4_000 },
      { name: 'miner-2', key: 'U', labels: {} },
      {
        name: 'miner-3',
        key: 'U',
        labels: {},
        seenAtMs: T0 - 900,
        health: health({ refusing: { code: 'SB-JOURNAL-DAMAGED', class: 'terminal', message: 'line 3', next: '-' } }),
      },
    ],
  };

  it('are shown as they answer: online, silent, never heard of, refusing', () => {
    expect(hostsScreen('prod', reply)).toEqual([
      'mesh prod   2 of 4 hosts online',
      '',
      'host     state     seen            labels     load             running  agent',
      'node-1   online    400ms ago       role=node  cpu 12% mem 40%  1        0.1.0 66 MiB',
      'miner-1  silent    1m ago skew 4s             cpu 12% mem 40%  1        0.1.0 66 MiB',
      'miner-2  never     never',
      'miner-3  refusing  900ms ago                  cpu 12% mem 40%  1        0.1.0 66 MiB',
      '',
      'miner-3 is refusing commands: [SB-JOURNAL-DAMAGED] line 3',
      'no policy, so everything is allowed: node-1, miner-1, miner-3',
      "no authority, so a coordinator's word is enough: node-1, miner-1, miner-3",
    ]);
  });

  it('says what to do when there is none', () => {
    const [, , line] = hostsScreen('prod', { nowMs: T0, hosts: [], problems: [] });
    expect(line).toContain('coordinator.yaml');
  });
});

describe('doctor', () => {
  it('is green or red, and says what to do under what is red', () => {
    const findings = [
      { what: 'NATS', ok: true, detail: '2.14.0' },
      { what: 'agents', ok: false, detail: '2 of 3 online', next: 'Look at miner-2.' },
    ];
    expect(doctorScreen('prod', findings)).toEqual([
      'mesh prod   1 of 2 need attention',
      '',
      '  ok      NATS              2.14.0',
      '  FAILED  agents            2 of 3 online',
      '                            Look at miner-2.',
    ]);
    expect(doctorScreen('prod', findings.slice(0, 1))[0]).toBe('mesh prod   all is well');
  });
});
