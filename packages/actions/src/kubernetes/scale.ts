import type { HostContext, JsonObject } from '@signalbox/protocol';
import { KubernetesConnection, KubernetesName } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { hasSettled, kubectl, lookAt, type Target, waitFor } from './ask.ts';

const With = z.strictObject({
  cluster: KubernetesConnection,
  deployment: KubernetesName,
  replicas: z.int().min(0).describe('0 stops it: done when no pod of its selector exists any more.'),
});

export const kubernetesScale = defineAction<z.infer<typeof With>>({
  name: 'kubernetes.scale',
  version: 1,
  summary: 'Scales a Deployment, and proves it by its pods: at 0 none may exist, ending ones included.',
  schema: With,
  effect: 'reversible',
  does: 'scale {deployment} to {replicas}',
  undoes: 'replicas as before',
  byHand:
    'kubectl [--kubeconfig={cluster.kubeconfig} ][--context={cluster.context} ]--namespace={cluster.namespace} scale deployment/{deployment} --replicas={receipt.replicas}',
  touches: ['deployment:{deployment}'],
  secrets: ['cluster'],
  receipt: { replicas: 'how many were wanted before' },
  timeoutMs: 10 * 60_000,

  async check(context, input) {
    const { deployment, pods } = await lookAt(context, input);
    const { desired, selector } = deployment;
    // A selector that matches nothing would "prove" later that everything is gone [T70].
    const text = `${input.deployment} wants ${desired} replicas, and no pod matches ${selector}`;
    const blind = desired > 0 && pods.length === 0;
    return {
      before: { replicas: desired },
      note: `${pods.length} of ${desired} pods`,
      problems: blind ? [actionError('SB-ACT-KUBERNETES-OBJECT', text).failure] : [],
    };
  },

  async run(context, input) {
    await scale(context, input, input.replicas);
    return {};
  },

  async undo(context, input, receipt) {
    await scale(context, input, replicasBefore(input.deployment, receipt));
    return {};
  },

  async probe(context, input, { direction, receipt }) {
    const wanted = direction === 'do' ? input.replicas : replicasBefore(input.deployment, receipt);
    const now = await lookAt(context, input);
    if (now.deployment.desired !== wanted) return 'not-applied';
    // Whoever asked for it is gone; Kubernetes goes on with it.
    return hasSettled(now) ? 'applied' : 'in-progress';
  },
});

/** Only from the number that was just seen: between the two somebody else may have scaled it. */
async function scale(context: HostContext, target: Target, replicas: number): Promise<void> {
  const { desired } = (await lookAt(context, target)).deployment;
  if (desired !== replicas) {
    const words = ['scale', `deployment/${target.deployment}`];
    await kubectl(context, target.cluster, [...words, `--current-replicas=${desired}`, `--replicas=${replicas}`]);
  }
  const what = replicas === 0 ? 'its pods are not gone' : `there are not ${replicas} ready pods`;
  await waitFor(context, target, { what, settled: (now) => now.deployment.desired === replicas && hasSettled(now) });
}

function replicasBefore(deployment: string, { replicas }: JsonObject): number {
  if (typeof replicas === 'number') return replicas;
  throw actionError('SB-ACT-NO-RECEIPT', `nobody recorded how many replicas ${deployment} had before the step`);
}
