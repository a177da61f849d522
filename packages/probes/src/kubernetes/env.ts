import { type DeploymentReading, KubernetesConnection, KubernetesName } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { defineProbe } from '../contract.ts';
import { lookAtDeployment } from './ask.ts';

const With = z.strictObject({
  cluster: KubernetesConnection,
  deployments: z
    .array(z.looseObject({ name: KubernetesName }))
    .min(1)
    .describe('Deployments by `name`; what more stands beside it is for other steps.'),
  name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a name of an environment variable'),
});

/** A switch or a number. What is anything else may be a secret, and does not leave the host [I9]. */
const SHOWN = /^(true|false|yes|no|on|off|\d{1,15})$/i;

export const kubernetesEnv = defineProbe<z.infer<typeof With>>({
  name: 'kubernetes.env',
  version: 1,
  summary:
    'What Deployments give their pods in one variable that is a switch or a number. What is not set has its own default, whatever that is.',
  schema: With,
  values: {
    allEqual: { type: 'string', help: 'the value that all of them have; absent unless they all have the same' },
    unset: { type: 'number', help: 'Deployments that do not set it' },
    differences: {
      type: 'string',
      help: 'which Deployment has what, where they are not all the same; absent where they are',
    },
  },
  secrets: ['cluster'],

  async sample(context, { cluster, deployments, name: variable }) {
    const found = [];
    for (const { name } of deployments) {
      const { deployment } = await lookAtDeployment(context, cluster, name);
      found.push({ name, value: given(deployment, variable) });
    }
    const first = found[0]?.value;
    const unset = found.filter(({ value }) => value === undefined).length;
    if (first !== undefined && SHOWN.test(first) && found.every(({ value }) => value === first)) {
      return { allEqual: first, unset };
    }
    return { unset, differences: found.map(({ name, value }) => `${name} ${described(value)}`).join(', ') };
  },
});

/** Of the first container that has it. A value from somewhere else is there, and cannot be seen: an empty text. */
function given({ containers }: DeploymentReading, variable: string): string | undefined {
  const entry = containers.flatMap(({ env }) => env).find(({ name }) => name === variable);
  return entry && (entry.value ?? '');
}

function described(value: string | undefined): string {
  if (value === undefined) return 'does not set it';
  return SHOWN.test(value) ? `has ${value}` : 'has something that is no switch and no number, or comes from elsewhere';
}
