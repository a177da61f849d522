import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { fromSecret, hasSettled, lookAt, waitFor } from './ask.ts';
import { entryOf, FROM_SECRET, keysOf, patchEnv, secretEntry } from './patch.ts';

const With = z.strictObject({ ...FROM_SECRET, replicas: z.int().min(0) });

export const kubernetesStart = defineAction<z.infer<typeof With>>({
  name: 'kubernetes.start',
  version: 1,
  summary:
    'Starts a Deployment that was scaled to 0, with one variable from a Secret: both in one change, so that no pod starts with the old value.',
  schema: With,
  effect: 'irreversible',
  does: 'start {deployment} with {replicas} replicas',
  touches: ['deployment:{deployment}'],
  secrets: ['cluster'],
  timeoutMs: 10 * 60_000,

  async check(context, input) {
    const { deployment, pods } = await lookAt(context, input);
    const there = (await keysOf(context, input)).includes(input.key);
    const text = `secret ${input.secret} has no key ${input.key}`;
    return {
      before: {},
      note: `${pods.length} of ${deployment.desired} pods`,
      problems: there ? [] : [actionError('SB-ACT-KUBERNETES-SECRET', text).failure],
    };
  },

  async run(context, input) {
    const { replicas } = input;
    const now = await lookAt(context, input);
    if (!fromSecret(entryOf(now, input), input) || now.deployment.desired !== replicas) {
      await patchEnv(context, input, { now, entry: secretEntry(input), replicas });
    }
    await waitFor(context, input, {
      what: `there are not ${replicas} ready pods`,
      settled: (later) => later.deployment.desired === replicas && hasSettled(later),
    });
    return {};
  },

  async probe(context, input) {
    const now = await lookAt(context, input);
    if (!fromSecret(entryOf(now, input), input) || now.deployment.desired !== input.replicas) return 'not-applied';
    return hasSettled(now) ? 'applied' : 'in-progress';
  },
});
