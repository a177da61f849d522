import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName } from '../catalogue.ts';

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
});
afterEach(() => host[Symbol.asyncDispose]());

const sample = async () => {
  const probe = probeByName.get('kubernetes.permissions');
  if (!probe) throw new Error('no probe');
  const given = {
    cluster: { namespace: 'fast-data' },
    deployments: [{ name: 'rtu' }],
    secrets: [{ name: 'mongodb-new' }],
  };
  return await probe.sample(host, probe.schema.parse(given));
};

describe('kubernetes.permissions', () => {
  it('names what a login may not do, and tries nothing', async () => {
    await host.program('kubectl', 'case "$*" in *" auth can-i "*) ;; *) exit 9;; esac; echo yes');
    expect(await sample()).toEqual({ missing: 0, held: 6 });
    const refused = '*"update deployments.apps/rtu --subresource=scale"*|*"get secrets/mongodb-new"*';
    await host.program('kubectl', `case "$*" in ${refused}) echo "no - RBAC says so"; exit 1;; *) echo yes;; esac`);
    expect(await sample()).toEqual({
      missing: 2,
      held: 4,
      lacking: 'update deployments.apps/rtu/scale, get secrets/mongodb-new',
    });
  });

  it('[I11] has no sample when the API server does not say', async () => {
    await host.program('kubectl', 'echo "Unable to connect to the server" >&2; exit 1');
    expect(await codeOf(sample())).toBe('SB-PROBE-KUBERNETES');
  });
});
