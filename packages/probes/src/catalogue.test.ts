import { ProbeSpec } from '@signalbox/protocol';
import { LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { probeByName, probeSpecs } from './catalogue.ts';
import { PROBE_CODES } from './codes.ts';
import { probesReference } from './reference.ts';

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
});
afterEach(() => host[Symbol.asyncDispose]());

describe('the catalogue of probes', () => {
  it('is data that survives the wire', () => {
    for (const spec of probeSpecs) expect(ProbeSpec.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });

  it('is described in docs/reference/probes.md', async () => {
    await expect(probesReference()).toMatchFileSnapshot('../../../docs/reference/probes.md');
  });

  it('has codes that begin with SB-PROBE- and say what to do', () => {
    for (const [code, { means, next }] of Object.entries(PROBE_CODES)) {
      expect(code).toMatch(/^SB-PROBE-[A-Z-]+$/);
      expect(means.length > 0 && next.endsWith('.'), code).toBe(true);
    }
  });

  it('host.facts describes this machine with the values that it documents', async () => {
    const facts = await probeByName.get('host.facts')?.sample(host, {});
    const documented = Object.keys(probeSpecs.find((spec) => spec.name === 'host.facts')?.values ?? {});
    expect(Object.keys(facts ?? {}).sort()).toEqual(documented.sort());
    expect(facts?.cpus).toBeGreaterThan(0);
    expect(facts?.disks).toHaveProperty(['/']);
  });
});
