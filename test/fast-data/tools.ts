import { type Action, actionByName } from '@signalbox/actions';
import { probeByName } from '@signalbox/probes';
import type { JsonObject, Values } from '@signalbox/protocol';
import { LocalHost } from '@signalbox/protocol/testing';
import type { ReplicaSet } from './mongo/replica-set.ts';

/** The connections of a runbook, as an agent gets them. */
export const SOURCE = { uri: { $secret: 'file:/etc/signalbox/source' } };
export const DESTINATION = { uri: { $secret: 'file:/etc/signalbox/destination' } };

/** A host whose secrets lead to these sets, for actions and probes without a mesh. */
export async function hostWith(sets: { source: ReplicaSet; destination: ReplicaSet }): Promise<LocalHost> {
  const host = await LocalHost.create();
  host.secrets.set(SOURCE.uri.$secret, sets.source.uri('signalbox'));
  host.secrets.set(DESTINATION.uri.$secret, sets.destination.uri('signalbox'));
  return host;
}

/** The same for one look, after which it is gone. */
export async function onHost<T>(
  sets: { source: ReplicaSet; destination: ReplicaSet },
  use: (host: LocalHost) => Promise<T>,
): Promise<T> {
  const host = await hostWith(sets);
  try {
    return await use(host);
  } finally {
    await host[Symbol.asyncDispose]();
  }
}

/** One sample, with `with` read as an agent reads it. */
export async function sampleOn(host: LocalHost, name: string, input: JsonObject): Promise<Values> {
  const probe = probeByName.get(name);
  if (!probe) throw new Error(`no probe ${name}`);
  return await probe.sample(host, probe.schema.parse(input));
}

/** The same on a host that has no secrets and is gone afterwards. */
export async function sampleHere(name: string, input: JsonObject): Promise<Values> {
  const host = await LocalHost.create();
  try {
    return await sampleOn(host, name, input);
  } finally {
    await host[Symbol.asyncDispose]();
  }
}

/** An action with its `with` bound, as an agent binds it. */
export function actionOn(host: LocalHost, name: string, given: JsonObject) {
  const action: Action | undefined = actionByName.get(name);
  if (!action) throw new Error(`no action ${name}`);
  const input = action.schema.parse(given);
  return {
    check: () => action.check(host, input),
    run: (before: JsonObject = {}) => action.run(host, input, before),
    undo: async (receipt: JsonObject) => {
      if (!action.undo) throw new Error(`${name} has no way back`);
      return await action.undo(host, input, receipt);
    },
    probe: (direction: 'do' | 'undo', receipt: JsonObject = {}) => action.probe(host, input, { direction, receipt }),
  };
}
