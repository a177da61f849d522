import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
});
afterEach(() => host[Symbol.asyncDispose]());

const sample = async () => {
  const probe = probeByName.get('kubernetes.pods');
  if (!probe) throw new Error('no probe');
  return await probe.sample(host, probe.schema.parse({ cluster: { namespace: 'fast-data' }, deployment: 'rtu' }));
};

const deployment = (replicas: number, selector: object = { matchLabels: { app: 'rtu' } }) => ({
  kind: 'Deployment',
  metadata: { resourceVersion: '7', generation: 2 },
  spec: { replicas, selector, template: { spec: { containers: [{ name: 'rtu' }] } } },
  status: { observedGeneration: 2 },
});
const pod = (name: string, more: object = {}, phase = 'Running') => ({
  metadata: { name, ...more },
  status: { phase, conditions: [{ type: 'Ready', status: 'True' }] },
  spec: { containers: [{ name: 'rtu' }] },
});

async function answers(one: object, pods: object[]): Promise<void> {
  await host.write('deployment.json', JSON.stringify(one));
  await host.write('pods.json', JSON.stringify({ items: pods }));
  await host.program('kubectl', 'case "$*" in *" pods "*) cat pods.json;; *) cat deployment.json;; esac');
}

describe('kubernetes.pods', () => {
  it('[T70] counts pods that are ending: a Deployment of 0 replicas may still be writing', async () => {
    await answers(deployment(0), [pod('rtu-1', { deletionTimestamp: '2026-11-21T02:00:00Z' })]);
    expect(await sample()).toMatchObject({ desired: 0, pods: 1, terminating: 1, names: 'rtu-1' });
  });

  it('[T74] says when somebody wants pods again', async () => {
    await answers(deployment(2), []);
    expect(await sample()).toMatchObject({ desired: 2, pods: 0 });
  });

  it('leaves out pods whose processes have ended', async () => {
    await answers(deployment(1), [pod('rtu-1'), pod('rtu-0', {}, 'Succeeded')]);
    expect(await sample()).toMatchObject({ pods: 1, ready: 1 });
  });

  it('[I11] has no sample for a selector that it cannot ask for, nor when kubectl fails', async () => {
    await answers(deployment(0, { matchExpressions: [] }), []);
    expect(await codeOf(sample())).toBe('SB-PROBE-KUBERNETES');
    await host.program('kubectl', 'echo "Unable to connect to the server" >&2; exit 1');
    expect(await codeOf(sample())).toBe('SB-PROBE-KUBERNETES');
  });
});
