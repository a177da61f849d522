import { randomUUID } from 'node:crypto';
import { type Plan, subjects } from '@signalbox/protocol';
import { connect, nkeyAuthenticator } from 'nats';
import type { Janitor } from '../lab/janitor.ts';
import type { ProcessMesh } from '../lab/mesh.ts';
import type { Operator } from '../lab/operator.ts';

/** Starts a plan. @returns the run's id once monitoring has heard that it is completed. */
export type RunToEnd = (plan: Plan) => Promise<string>;

/** One subscription for all runs, and not for their steps: what watches must not cost what is measured. */
export async function runsToEnd(operator: Operator, mesh: ProcessMesh, janitor: Janitor): Promise<RunToEnd> {
  const completed = new Set<string>();
  const waiting = new Map<string, () => void>();
  const authenticator = nkeyAuthenticator(new TextEncoder().encode(mesh.nats.keys.monitor.seed));
  const monitor = await connect({ servers: mesh.nats.url, authenticator });
  janitor.add('monitor', () => monitor.close());
  monitor.subscribe(subjects(mesh.name).all.status.replace('>', 'run.*'), {
    callback: (_, { subject, data }) => {
      if (!Buffer.from(data).includes('"status":"completed"')) return;
      const run = subject.slice(subject.lastIndexOf('.') + 1);
      completed.add(run);
      waiting.get(run)?.();
    },
  });
  await monitor.flush();
  return async (plan) => {
    const { run } = await operator.start(JSON.stringify(plan), randomUUID());
    // A short run may be over before its start is answered.
    if (!completed.has(run)) await new Promise<void>((resolve) => waiting.set(run, resolve));
    return run;
  };
}
