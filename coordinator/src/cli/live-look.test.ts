import { type JsonObject, type Plan, SignalboxError } from '@signalbox/protocol';
import { describe, expect, it } from 'vitest';
import { cutoverPlan } from '../screens/testing/cutover.ts';
import { lookAtHosts } from './live-look.ts';
import { clientOver, fakeMesh } from './testing/fake-mesh.ts';

const missing = {
  code: 'SB-ACT-PROGRAM-MISSING',
  class: 'terminal',
  message: 'no mongomirror here',
  next: 'Install it.',
} as const;

/** A mesh that answers checks and samples, and remembers what it was asked. */
function clientOf(answer: (verb: string, body: JsonObject) => object) {
  const asked: string[] = [];
  const client = fakeMesh((verb, body) => {
    asked.push(`${verb} ${body.host}`);
    return answer(verb, body);
  });
  return { asked, client };
}

const small = (steps: Plan['steps']): Plan => ({ ...cutoverPlan, steps });
const [windowEnough, ttlPaused] = cutoverPlan.steps;

describe('the look at the hosts', () => {
  it('keeps what actions and probes see, in the order of the plan', async () => {
    const { client } = clientOf((verb) =>
      verb === 'check'
        ? { result: { before: { on: true }, note: 'TTL on', problems: [] } }
        : { values: { windowSeconds: 219_600 }, tookMs: 1 },
    );
    const look = await lookAtHosts(client, small([windowEnough, ttlPaused].filter((step) => step !== undefined)));
    expect(look).toEqual({
      observed: [
        { step: 'window-enough', host: 'mirror-1', seen: { windowSeconds: 219_600 }, note: 'windowSeconds 219600' },
        { step: 'ttl-paused', host: 'mirror-1', seen: { on: true }, note: 'TTL on' },
      ],
      problems: [],
    });
  });

  it('[T07] names what a host lacks, and a host that does not answer is a problem too', async () => {
    const silent = new SignalboxError({ ...missing, code: 'SB-COORD-HOST-SILENT', message: 'kube-1 did not answer' });
    const { client } = clientOf((_verb, body) => {
      if (body.host === 'kube-1') throw silent;
      return 'action' in body ? { result: { before: {}, problems: [missing] } } : { values: {}, tookMs: 1 };
    });
    const { problems } = await lookAtHosts(client, cutoverPlan);
    expect(problems.map(({ step, failure }) => `${step} ${failure.code}`)).toEqual([
      'ttl-paused SB-ACT-PROGRAM-MISSING',
      ...['crud', 'lite', 'export'].map((item) => `readers-moved[${item}] SB-COORD-HOST-SILENT`),
      ...['rtu', 'svc'].map((item) => `writers-stopped[${item}] SB-COORD-HOST-SILENT`),
      'mirror-stopped SB-ACT-PROGRAM-MISSING',
      ...['rtu', 'svc'].map((item) => `writers-started[${item}] SB-COORD-HOST-SILENT`),
    ]);
  });

  it('asks the same probe of the same thing once, and nothing that only the run can know', async () => {
    const { asked, client } = clientOf(() => ({ values: {}, tookMs: 1 }));
    const later = { $step: 'before', host: null, from: 'values' as const, path: ['peers'] };
    const gate = windowEnough?.kind === 'gate' ? windowEnough : undefined;
    const steps = gate
      ? [
          gate,
          { ...gate, id: 'again' },
          { ...gate, id: 'later', targets: [{ host: 'kube-1', with: { x: later }, until: {} }] },
        ]
      : [];
    await lookAtHosts(client, small(steps));
    expect(asked).toEqual(['sample mirror-1']);
  });

  it('takes a probe that a host refuses by its policy for a problem, and one that fails now for none', async () => {
    const steps = [windowEnough].filter((step) => step !== undefined);
    const told = async (code: string) => {
      const { client } = clientOf(() => {
        throw new SignalboxError({ ...missing, code });
      });
      return (await lookAtHosts(client, small(steps))).problems.map(({ step, failure }) => `${step} ${failure.code}`);
    };
    expect(await told('SB-POLICY-PROBE')).toEqual(['window-enough SB-POLICY-PROBE']);
    expect(await told('SB-PROBE-FAILED')).toEqual([]);
  });

  it('ends when the mesh is gone: half a look is none', async () => {
    const client = clientOver(() => Buffer.from('not a reply'));
    await expect(lookAtHosts(client, cutoverPlan)).rejects.toThrow(/SB-CLI-REPLY/);
  });
});
