import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
  await host.program(
    'kubectl',
    'case "$*" in *" pods "*) echo "{}";; *" rtu "*) cat rtu.json;; *) cat svc.json;; esac',
  );
});
afterEach(() => host[Symbol.asyncDispose]());

const sample = async (name = 'FORCE_CHECK_ON_OFFSET') => {
  const probe = probeByName.get('kubernetes.env');
  if (!probe) throw new Error('no probe');
  const deployments = [{ name: 'rtu', groups: ['rtu'] }, { name: 'svc' }];
  return await probe.sample(host, probe.schema.parse({ cluster: { namespace: 'fast-data' }, deployments, name }));
};

async function deployment(name: string, env: object[]): Promise<void> {
  const template = { spec: { containers: [{ name: 'proxy' }, { name, env }] } };
  const object = {
    kind: 'Deployment',
    metadata: { resourceVersion: '7' },
    spec: { replicas: 1, selector: { matchLabels: { app: name } }, template },
  };
  await host.write(`${name}.json`, JSON.stringify(object));
}
const checks = (value: string) => [{ name: 'FORCE_CHECK_ON_OFFSET', value }];

describe('kubernetes.env', () => {
  it('[T55] is met only where every Deployment says it: what is not set is true by default', async () => {
    await deployment('rtu', checks('false'));
    await deployment('svc', []);
    expect(await sample()).toEqual({ unset: 1, differences: 'rtu has false, svc does not set it' });
    await deployment('svc', checks('true'));
    expect(await sample()).toMatchObject({ differences: 'rtu has false, svc has true' });
    await deployment('svc', checks('false'));
    expect(await sample()).toEqual({ allEqual: 'false', unset: 0 });
  });

  it('[I9] shows switches and numbers and nothing else', async () => {
    await deployment('rtu', [{ name: 'TOKEN', value: 'hunter2' }]);
    await deployment('svc', [{ name: 'TOKEN', value: 'hunter2' }]);
    const said = await sample('TOKEN');
    expect(said.allEqual).toBeUndefined();
    expect(JSON.stringify(said)).not.toContain('hunter2');
  });

  it('does not guess what comes from a ConfigMap', async () => {
    const valueFrom = { configMapKeyRef: { name: 'rtu', key: 'check' } };
    await deployment('rtu', [{ name: 'FORCE_CHECK_ON_OFFSET', valueFrom }]);
    await deployment('svc', checks('false'));
    expect((await sample()).allEqual).toBeUndefined();
    await host.program('kubectl', 'exit 1');
    expect(await codeOf(sample())).toBe('SB-PROBE-KUBERNETES');
  });
});
