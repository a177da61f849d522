import { isJsonObject, type JsonObject } from '@signalbox/protocol';
import type { EnvEntry } from '@signalbox/protocol/readings';
import { z } from 'zod';
import { actionError } from '../codes.ts';
import { defineAction } from '../contract.ts';
import { fromSecret, hasSettled, lookAt, waitFor } from './ask.ts';
import { type EnvTarget, entryOf, FROM_SECRET, keysOf, patchEnv, secretEntry } from './patch.ts';

const With = z.strictObject(FROM_SECRET);

export const kubernetesSetEnvFromSecret = defineAction<z.infer<typeof With>>({
  name: 'kubernetes.setEnvFromSecret',
  version: 1,
  summary:
    'Has a Deployment take one variable from a Secret, and waits until every pod runs with it and no older one is left.',
  schema: With,
  effect: 'reversible',
  does: '{deployment} -> {env} from secret {secret}',
  undoes: '{env} as before',
  touches: ['deployment:{deployment}'],
  secrets: ['cluster'],
  receipt: { entry: 'the variable as it stood in the Deployment before; absent when it was not there' },
  timeoutMs: 10 * 60_000,

  async check(context, input) {
    const now = await lookAt(context, input);
    const entry = entryOf(now, input);
    const problems = [];
    if (!(await keysOf(context, input)).includes(input.key)) {
      problems.push(actionError('SB-ACT-KUBERNETES-SECRET', `secret ${input.secret} has no key ${input.key}`).failure);
    }
    if (holdsPassword(entry)) {
      const text = `${input.env} of ${input.deployment} has a password as its literal value`;
      problems.push(actionError('SB-ACT-KUBERNETES-LITERAL', text).failure);
      return { before: {}, problems };
    }
    return { before: entry ? { entry: toJson(entry) } : {}, problems };
  },

  async run(context, input) {
    const now = await lookAt(context, input);
    if (holdsPassword(entryOf(now, input))) {
      throw actionError('SB-ACT-KUBERNETES-LITERAL', `${input.env} of ${input.deployment} has a password as its value`);
    }
    if (!fromSecret(entryOf(now, input), input)) await patchEnv(context, input, { now, entry: secretEntry(input) });
    await settle(context, input);
    return {};
  },

  async undo(context, input, { entry }) {
    const wanted = isJsonObject(entry) ? entry : undefined;
    const now = await lookAt(context, input);
    if (!sameEntry(entryOf(now, input), wanted)) await patchEnv(context, input, { now, entry: wanted });
    await settle(context, input);
    return {};
  },

  async probe(context, input, { direction, receipt }) {
    const now = await lookAt(context, input);
    const is = entryOf(now, input);
    const before = isJsonObject(receipt.entry) ? receipt.entry : undefined;
    const there = direction === 'do' ? fromSecret(is, input) : sameEntry(is, before);
    if (!there) return 'not-applied';
    return hasSettled(now) ? 'applied' : 'in-progress';
  },
});

const settle = (context: Parameters<typeof waitFor>[0], target: EnvTarget) =>
  waitFor(context, target, { what: 'old pods are left, or new ones are not ready', settled: hasSettled });

/** Such a value may not be kept as a receipt, so there would be no way back [T73]. */
function holdsPassword(entry: EnvEntry | undefined): boolean {
  return /[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:[^\s/@]+@/i.test(entry?.value ?? '');
}

function toJson({ name, value, valueFrom }: EnvEntry): JsonObject {
  return { name, ...(value !== undefined && { value }), ...(valueFrom !== undefined && { valueFrom }) };
}

function sameEntry(is: EnvEntry | undefined, wanted: JsonObject | undefined): boolean {
  if (is === undefined || wanted === undefined) return is === wanted;
  return JSON.stringify(toJson(is)) === JSON.stringify(wanted);
}
