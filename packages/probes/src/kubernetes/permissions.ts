import { KubernetesConnection, KubernetesName } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { few } from '../support/few.ts';
import { mayDo } from './ask.ts';

const With = z.strictObject({
  cluster: KubernetesConnection.describe('The cluster, with the login that is meant.'),
  deployments: z
    .array(z.looseObject({ name: KubernetesName }))
    .min(1)
    .describe('Deployments by `name`; what more stands beside it is for other steps.'),
  secrets: z
    .array(z.looseObject({ name: KubernetesName }))
    .default([])
    .describe('Secrets that they will be led by.'),
});

/** What `kubernetes.scale`, `kubernetes.start` and `kubernetes.setEnvFromSecret` ask of the API server. */
const ON_A_DEPLOYMENT = [
  { verb: 'get' },
  { verb: 'patch' },
  { verb: 'get', subresource: 'scale' },
  { verb: 'update', subresource: 'scale' },
] as const;

export const kubernetesPermissions = defineProbe<z.infer<typeof With>>({
  name: 'kubernetes.permissions',
  version: 1,
  summary:
    'Whether a login may do to Deployments what actions will have to, by what the API server says of it (`kubectl auth can-i`): nothing is tried.',
  schema: With,
  values: {
    missing: { type: 'number', help: 'what it may not do' },
    lacking: { type: 'string', help: 'which, and on what; absent without any' },
    held: { type: 'number', help: 'what it may do' },
  },
  secrets: ['cluster'],

  async sample(context, { cluster, deployments, secrets }) {
    const wanted = [
      { verb: 'list', resource: 'pods' },
      ...deployments.flatMap(({ name }) =>
        ON_A_DEPLOYMENT.map((may) => ({ ...may, resource: `deployments.apps/${name}` })),
      ),
      ...secrets.map(({ name }) => ({ verb: 'get', resource: `secrets/${name}` })),
    ];
    const lacking: string[] = [];
    for (const may of wanted) {
      if (await mayDo(context, cluster, may)) continue;
      lacking.push(`${may.verb} ${may.resource}${'subresource' in may ? `/${may.subresource}` : ''}`);
    }
    return {
      missing: lacking.length,
      ...(lacking.length > 0 && { lacking: few(lacking) }),
      held: wanted.length - lacking.length,
    };
  },
});
