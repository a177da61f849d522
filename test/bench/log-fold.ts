import { connectCoordinator } from '@signalbox/bus';
import { loadRun } from '@signalbox/coordinator';
import type { LogEntry, Plan, RunEvent } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import type { ProcessMesh } from '../lab/mesh.ts';
import { medianMs, type Row } from './figures.ts';

const RUN = 'long-1';
const EVENTS = 10_000;
const READS = 5;

/** A long run, read back from JetStream and folded into its state, as a coordinator does it that starts. */
export async function logFold(mesh: ProcessMesh, planOf: (steps: number) => Plan): Promise<Row[]> {
  const { seed } = mesh.nats.keys.coordinator;
  const where = { servers: [mesh.nats.url], mesh: mesh.name };
  const bus = await connectCoordinator({ ...where, seed, name: 'bench', connectTimeoutMs: 5_000 });
  try {
    const plan = planOf(Math.ceil(EVENTS / 3));
    const text = JSON.stringify(plan);
    const planHash = sha256(text);
    await bus.putBlob(planHash, Buffer.from(text));
    const decisions = decisionsOf(plan, planHash);
    let head = { sequence: 0, hash: '' };
    for (const [index, events] of decisions.entries()) {
      const entry: LogEntry = {
        v: 1,
        run: RUN,
        index,
        epoch: 1,
        previous: head.hash,
        atMs: index,
        runMs: index,
        events,
      };
      const data = Buffer.from(JSON.stringify(entry));
      const appended = await bus.append(RUN, data, head.sequence);
      if (appended === 'conflict') throw new Error(`${RUN} was written by somebody else`);
      head = { sequence: appended.sequence, hash: sha256(data) };
    }
    const value = await medianMs(READS, () => loadRun(bus, RUN));
    const note = `${decisions.flat().length} events in ${decisions.length} messages`;
    return [
      { what: 'a log of 10,000 events, read back and folded', unit: 'ms', value, target: { value: 1_000 }, note },
    ];
  } finally {
    await bus.close();
  }
}

/** One message an acceptance and one an outcome, as a run on one host writes them. */
function decisionsOf(plan: Plan, planHash: string): RunEvent[][] {
  const by = { name: 'bench', key: '' };
  const began: RunEvent[] = [
    { type: 'RunCreated', mesh: plan.mesh, runbook: plan.runbook.name, planHash, by },
    { type: 'Led', coordinator: 'bench', epoch: 1, nonce: 'n' },
  ];
  const tries = plan.steps.flatMap((step) =>
    step.kind === 'action'
      ? [{ step: step.id, host: step.targets[0]?.host ?? '', direction: 'do', attempt: 1 } as const]
      : [],
  );
  const started = (index: number): RunEvent[] => {
    const which = tries[index];
    if (!which) return [];
    const { step, host, direction, attempt } = which;
    const id = [RUN, step, host, direction, attempt].join(':');
    const input = { argv: ['true'], effect: 'read' };
    const work = {
      kind: 'command',
      id,
      action: 'exec.run',
      version: 1,
      with: input,
      notAfterMs: 0,
      timeoutMs: 0,
    } as const;
    return [{ type: 'StepStarted', ...which, work }];
  };
  return [
    [...began, ...started(0)],
    ...tries.flatMap((which, index): RunEvent[][] => [
      [{ type: 'StepAccepted', ...which, before: {} }],
      [
        { type: 'StepSucceeded', ...which, via: 'report', receipt: { exitCode: 0 }, durationMs: 1 },
        ...started(index + 1),
      ],
    ]),
  ];
}
