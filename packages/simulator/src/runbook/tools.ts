import type { Action } from '@signalbox/actions';
import { EVERYTHING, type Toolbox } from '@signalbox/agent';
import { defineProbe, type Probe } from '@signalbox/probes';
import {
  type ActionSpec,
  type Catalogue,
  Condition,
  type JsonObject,
  type ProbeSpec,
  SignalboxError,
} from '@signalbox/protocol';
import { z } from 'zod';
import type { Host } from '../host.ts';
import { ACTION, FAILED, type Nature, toolbox } from '../tools.ts';
import { valuesFor } from './values.ts';

const Wanted = z.looseObject({
  what: z.string().default(''),
  until: Condition.default({}),
  failIf: Condition.default({}),
});

/** What a catalogue says that agents can do, done to a simulated host: the one action of all days, under every name. */
export function catalogueTools(host: Host, nature: Nature, { actions, probes }: Catalogue): Toolbox {
  const own = toolbox(host, nature);
  const act = own.actionByName(ACTION);
  const actionByName = new Map(actions.flatMap((spec) => (act ? [[spec.name, actionOf(spec, act)] as const] : [])));
  const probeByName = new Map(probes.map((spec) => [spec.name, probeOf(spec, { host, nature })]));
  return {
    policy: EVERYTHING,
    actionByName: (name) => actionByName.get(name),
    probeByName: (name) => probeByName.get(name),
    actions: actions.map(nameOf),
    probes: probes.map(nameOf),
  };
}

function nameOf({ name, version }: ActionSpec | ProbeSpec): string {
  return `${name}@${version}`;
}

/** Receipts have the fields that later steps may name: numbers, which gates can compare and texts can hold. */
function actionOf(spec: ActionSpec, act: Action): Action {
  const { name, version, summary, does } = spec;
  const fields: JsonObject = Object.fromEntries(Object.keys(spec.receipt).map((field, i) => [field, 1_000 + i]));
  const effect = spec.effect === 'declared' ? act.effect : spec.effect;
  return {
    ...act,
    ...{ name, version, summary, does, effect },
    async check(context, input) {
      const { before, problems } = await act.check(context, input);
      return { before: { ...fields, ...before }, problems };
    },
    run: async (context, input, before) => ({ ...fields, ...(await act.run(context, input, before)) }),
  };
}

function probeOf(spec: ProbeSpec, { host, nature }: { host: Host; nature: Nature }): Probe {
  const { name, version, summary, values } = spec;
  return defineProbe<z.infer<typeof Wanted>>({
    ...{ name, version, summary, values },
    schema: Wanted,
    async sample(context, { what, until, failIf }) {
      if (nature.probeBreaks()) throw new SignalboxError(FAILED);
      return valuesFor(spec, { until, failIf, met: nature.truth(host, what), nowMs: context.nowMs() });
    },
  });
}
