import { KubernetesConnection, KubernetesName } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { lookAtDeployment } from './ask.ts';

const With = z.strictObject({ cluster: KubernetesConnection, deployment: KubernetesName });

export const kubernetesPods = defineProbe<z.infer<typeof With>>({
  name: 'kubernetes.pods',
  version: 1,
  summary: 'How many pods a Deployment wants and how many there are, those included that are ending.',
  schema: With,
  values: {
    desired: {
      type: 'number',
      help: 'replicas in the spec: rises when an autoscaler or a GitOps controller scales it back',
    },
    pods: { type: 'number', help: 'pods that match its selector and may still do something, ending ones included' },
    terminating: { type: 'number', help: 'of those, the ones that are ending' },
    ready: { type: 'number', help: 'of those, the ones that are ready' },
    names: { type: 'string', help: 'their names, the first ten' },
  },
  secrets: ['cluster'],

  async sample(context, { cluster, deployment: name }) {
    const { deployment, pods } = await lookAtDeployment(context, cluster, name);
    return {
      desired: deployment.desired,
      pods: pods.length,
      terminating: pods.filter(({ terminating }) => terminating).length,
      ready: pods.filter(({ ready }) => ready).length,
      ...(pods.length > 0 && {
        names: pods
          .slice(0, 10)
          .map((pod) => pod.name)
          .join(', '),
      }),
    };
  },
});
