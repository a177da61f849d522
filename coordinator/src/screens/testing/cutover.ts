import type { ActionStep, GateStep, LogEntry, Plan, PlanStep, ReplyBody, RunEvent } from '@signalbox/protocol';
import { evolveEntry, initialState } from '@signalbox/sequencer';
import type { RunInput } from '../model.ts';

/** As `kubernetes.scale` has it, shorter. */
const SCALE_BACK = 'kubectl scale deployment/fast-data --replicas={receipt.replicas}';

/** Saturday, 02:00 in the time zone of the tests. */
export const T0 = Date.UTC(2026, 10, 21, 2, 0, 0);
export const AYSE = { name: 'ayse', key: 'UAYSE', role: 'operator' };

function action(number: number, id: string, host: string, does: string, undoes?: string): ActionStep {
  return {
    kind: 'action',
    id,
    number,
    line: number,
    action: 'exec.run',
    version: 1,
    effect: undoes === undefined ? 'irreversible' : 'reversible',
    reversible: undoes !== undefined,
    targets: [{ host, with: {}, does, touches: [], exclusive: [], ...(undoes === undefined ? {} : { undoes }) }],
    timeoutMs: 600_000,
    retry: { attempts: 1, backoffMs: 0, retryOn: [] },
  };
}

function gate(
  number: number,
  id: string,
  host: string,
  rest: Partial<GateStep> & Pick<GateStep['targets'][0], 'until'>,
): GateStep {
  const { until, ...others } = rest;
  return {
    kind: 'gate',
    id,
    number,
    line: number,
    probe: 'test.probe',
    targets: [{ host, with: {}, until }],
    forMs: 30_000,
    everyMs: 5_000,
    timeoutMs: 600_000,
    onTimeout: 'hold',
    tolerateMs: 0,
    once: false,
    validWhile: [],
    ...others,
  };
}

function items(number: number, id: string, make: (id: string) => PlanStep, keys: readonly string[]): PlanStep {
  const children = keys.map((key) => make(`${id}[${key}]`));
  return { kind: 'group', id, number, line: number, mode: 'serial', forEach: true, children };
}

/** A MongoDB cutover, shortened: readers moved, writers stopped, proven quiet, lag zero, no way back, writers started. */
export const cutoverPlan: Plan = {
  signalboxPlan: 1,
  mesh: 'prod',
  runbook: { name: 'mongodb-cutover', summary: 'Move a MongoDB', sha256: 'r' },
  madeAtMs: T0 - 3_600_000,
  madeBy: 'ayse',
  params: {},
  hosts: ['mirror-1', 'kube-1'].map((name) => ({ name, labels: {}, journal: 'j', machine: 'm', key: 'U' })),
  roles: { mirror: ['mirror-1'], kube: ['kube-1'] },
  onFailure: 'rollback',
  downtime: [{ name: 'writes', from: 'writers-stopped', to: 'writers-started', budgetMs: 600_000, onBudget: 'warn' }],
  observed: [],
  findings: { errors: 0, warnings: 0 },
  steps: [
    gate(1, 'window-enough', 'mirror-1', { until: { windowSeconds: { atLeast: 86_400 } }, once: true }),
    action(2, 'ttl-paused', 'mirror-1', 'TTL monitor off', 'TTL monitor on'),
    gate(3, 'mirror-alive', 'mirror-1', {
      until: { unitState: { equals: 'active' } },
      fence: { until: 'mirror-stopped', onBreak: 'hold' },
    }),
    {
      kind: 'group',
      id: 'cutover',
      number: 4,
      line: 4,
      mode: 'serial',
      timing: { decideByMs: T0 + 9_000_000, onDeadline: 'rollback' },
      children: [
        items(4, 'readers-moved', (id) => action(4, id, 'kube-1', `move ${id}`, 'old env'), ['crud', 'lite', 'export']),
        items(
          5,
          'writers-stopped',
          (id) => ({ ...action(5, id, 'kube-1', `scale ${id} to 0`, 'scale back'), byHand: SCALE_BACK }),
          ['rtu', 'svc'],
        ),
        gate(6, 'source-quiet', 'mirror-1', {
          until: { writes: { equals: 0 } },
          fence: { until: 'no-way-back', onBreak: 'hold' },
        }),
        gate(7, 'lag-zero', 'mirror-1', {
          until: { lagSeconds: { atMost: 0 }, stage: { equals: 'oplog sync' } },
          onTimeout: 'rollback',
        }),
        action(8, 'mirror-stopped', 'mirror-1', 'stop mongomirror', 'start mongomirror'),
        {
          kind: 'pointOfNoReturn',
          id: 'no-way-back',
          number: 9,
          line: 9,
          statement: 'Writes go to the destination.',
          guards: ['source-quiet', 'lag-zero'],
          approve: { count: 2, role: 'approver', notSubmitter: true },
        },
        items(10, 'writers-started', (id) => action(10, id, 'kube-1', `scale ${id} up`), ['rtu', 'svc']),
        gate(11, 'first-write-seen', 'mirror-1', { until: { writes: { rising: true } } }),
      ],
    },
  ],
};

/** Writes a log entry by entry, `at` in seconds after 02:00; run time and wall time are the same here. */
export class TestLog {
  readonly entries: LogEntry[] = [];

  add(atSeconds: number, ...events: RunEvent[]): this {
    this.entries.push({
      v: 1,
      run: 'mongodb-cutover-3',
      index: this.entries.length,
      epoch: 1,
      previous: '',
      atMs: T0 + atSeconds * 1_000,
      runMs: atSeconds * 1_000,
      events,
    });
    return this;
  }

  done(
    atSeconds: number,
    step: string,
    host: string,
    rest: Partial<Extract<RunEvent, { type: 'StepSucceeded' }>> = {},
  ): this {
    const id = { step, host, direction: 'do', attempt: 1 } as const;
    const { values, receipt, durationMs = 2_100 } = rest;
    const isGate = values !== undefined;
    return this.add(
      atSeconds,
      { type: 'StepStarted', ...id, work: isGate ? gateWork(atSeconds) : commandWork(step) },
      {
        type: 'StepSucceeded',
        ...id,
        via: 'report',
        durationMs,
        ...(isGate ? { values } : {}),
        ...(receipt ? { receipt } : {}),
      },
    );
  }

  input(nowSeconds: number, live?: Partial<ReplyBody<'live'>>): RunInput {
    const nowMs = T0 + nowSeconds * 1_000;
    const start = initialState('mongodb-cutover-3', cutoverPlan);
    return {
      state: this.entries.reduce(evolveEntry, start),
      entries: this.entries,
      nowMs,
      live: { nowMs, runMs: nowSeconds * 1_000, gates: [], ...live },
      hosts: [
        { name: 'mirror-1', key: 'U', labels: {}, seenAtMs: nowMs - 400, skewMs: 12 },
        { name: 'kube-1', key: 'U', labels: {}, seenAtMs: nowMs - 1_100, skewMs: -3 },
      ],
      hostsAtMs: nowMs,
      timeZone: 'UTC',
    };
  }
}

export function commandWork(step: string) {
  return {
    kind: 'command' as const,
    id: step,
    action: 'exec.run',
    version: 1,
    with: {},
    notAfterMs: T0 + 3_600_000,
    timeoutMs: 600_000,
  };
}

export function gateWork(atSeconds: number, until: GateStep['targets'][0]['until'] = {}) {
  return { kind: 'gate' as const, probe: 'test.probe', with: {}, until, deadlineRunMs: atSeconds * 1_000 + 600_000 };
}

/** Up to and with the readers: the cutover has begun, nothing is down. */
export function begunLog(): TestLog {
  return new TestLog()
    .add(0, { type: 'RunCreated', mesh: 'prod', runbook: 'mongodb-cutover', planHash: '7f3a91c2', by: AYSE })
    .add(1, { type: 'Led', coordinator: 'coordinator-1', epoch: 1, nonce: 'n' })
    .done(60, 'window-enough', 'mirror-1', { values: { windowSeconds: 219_600 } })
    .done(120, 'ttl-paused', 'mirror-1', { durationMs: 4_000 })
    .done(180, 'mirror-alive', 'mirror-1', { values: { unitState: 'active' } })
    .done(840, 'readers-moved[crud]', 'kube-1', { durationMs: 30_000 })
    .done(860, 'readers-moved[lite]', 'kube-1', { durationMs: 30_000 })
    .done(880, 'readers-moved[export]', 'kube-1', { durationMs: 30_000 });
}
