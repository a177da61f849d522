import type { ActionStep, HostRecord, Plan, PlanHost } from '@signalbox/protocol';

/** A plan of so many serial steps, each of which runs `true` on every host. */
export function planOfTrue(mesh: string, hosts: readonly PlanHost[], steps: number): Plan {
  return {
    signalboxPlan: 1,
    mesh,
    runbook: { name: 'bench', summary: `${steps} times nothing`, sha256: '0'.repeat(64) },
    madeAtMs: Date.now(),
    madeBy: 'bench',
    params: {},
    hosts: [...hosts],
    roles: { box: hosts.map(({ name }) => name) },
    onFailure: 'rollback',
    downtime: [],
    steps: Array.from({ length: steps }, (_, i) => trueStep(i + 1, hosts)),
    observed: [],
    findings: { errors: 0, warnings: 0 },
  };
}

function trueStep(number: number, hosts: readonly PlanHost[]): ActionStep {
  return {
    kind: 'action',
    id: `nothing-${number}`,
    number,
    line: number,
    action: 'exec.run',
    version: 1,
    effect: 'read',
    reversible: false,
    targets: hosts.map(({ name }) => ({
      host: name,
      with: { argv: ['true'], effect: 'read' },
      does: 'run true',
      touches: [],
      exclusive: [],
    })),
    timeoutMs: 20_000,
    retry: { attempts: 1, backoffMs: 0, retryOn: [] },
  };
}

/** A host as a plan pins it. @throws Error when it has not been heard of yet. */
export function pinned({ name, key, labels, health }: HostRecord): PlanHost {
  if (!health) throw new Error(`${name} has not been heard of`);
  return { name, key, labels, journal: health.journal, machine: health.machine };
}
