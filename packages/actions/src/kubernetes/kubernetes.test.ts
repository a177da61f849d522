import { readFile } from 'node:fs/promises';
import type { JsonObject } from '@signalbox/protocol';
import { codeOf, LocalHost } from '@signalbox/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { actionByName } from '../catalogue.ts';

let host: LocalHost;
beforeEach(async () => {
  host = await LocalHost.create();
  // Answers from files that a test writes, and does what it says with a change; a call a line in `calls`.
  await host.program(
    'kubectl',
    'echo "$*" >> calls\ncase "$*" in\n*" pods "*) cat pods.json;;\n*" secret "*) echo url;;\n*scale*|*patch*) . ./change; cat deployment.json;;\n*) cat deployment.json;;\nesac',
  );
  await change(':');
});
afterEach(() => host[Symbol.asyncDispose]());

const change = (script: string) => host.write('change', script);
const calls = async () => (await readFile(host.file('calls'), 'utf8')).split('\n').filter(Boolean);
const OLD = { name: 'MONGODB_URL', valueFrom: { secretKeyRef: { name: 'old', key: 'url' } } };

const deployment = (replicas: number, { env = [OLD], ready = replicas }: { env?: object[]; ready?: number } = {}) =>
  JSON.stringify({
    kind: 'Deployment',
    metadata: { resourceVersion: '7', generation: 1 },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'rtu' } },
      template: { spec: { containers: [{ name: 'rtu', env }] } },
    },
    status: { observedGeneration: 1, replicas, updatedReplicas: replicas, readyReplicas: ready },
  });
const pods = (...names: string[]) =>
  JSON.stringify({
    items: names.map((name) => ({
      metadata: { name, ...(name.startsWith('ending') && { deletionTimestamp: 'now' }) },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      spec: { containers: [{ name: 'rtu' }] },
    })),
  });
async function cluster(one: string, list: string): Promise<void> {
  await host.write('deployment.json', one);
  await host.write('pods.json', list);
}

/** A look a minute: waiting in vain for minutes takes a handful of them. */
function inAHurry(): LocalHost {
  let nowMs = 0;
  const sleep = async () => {
    nowMs += 60_000;
  };
  return Object.create(host, { nowMs: { value: () => nowMs }, sleep: { value: sleep } });
}

function bound(name: string, more: JsonObject) {
  const action = actionByName.get(name);
  if (!action?.undo) throw new Error(`no action ${name} with a way back`);
  const input = action.schema.parse({ cluster: { namespace: 'fast-data' }, deployment: 'rtu', ...more });
  const { undo } = action;
  const fast = inAHurry();
  return {
    check: () => action.check(host, input),
    run: () => action.run(fast, input, {}),
    undo: (receipt: JsonObject) => undo(fast, input, receipt),
    probe: () => action.probe(host, input, { direction: 'do', receipt: {} }),
  };
}
const stop = () => bound('kubernetes.scale', { replicas: 0 });
const point = () => bound('kubernetes.setEnvFromSecret', { env: 'MONGODB_URL', secret: 'new', key: 'url' });

describe('kubernetes.scale', () => {
  it('[T70] is not done at 0 replicas while a pod is still ending', async () => {
    await cluster(deployment(2), pods('rtu-1', 'rtu-2'));
    await host.write('after.json', deployment(0));
    await host.write('ending.json', pods('ending-1'));
    await change('cp after.json deployment.json; cp ending.json pods.json');
    // The naive way asks the Deployment, which is content: observed, 0 of 0 updated, 0 of 0 ready.
    expect(await codeOf(stop().run())).toBe('SB-ACT-KUBERNETES-UNSETTLED');
    expect(await stop().probe()).toBe('in-progress');
    await host.write('pods.json', pods());
    await stop().run();
    expect(await stop().probe()).toBe('applied');
  });

  it('[T71] refuses a selector that matches nothing before: it would prove everything afterwards', async () => {
    await cluster(deployment(2), pods());
    expect((await stop().check()).problems.map(({ code }) => code)).toEqual(['SB-ACT-KUBERNETES-OBJECT']);
  });

  it('[T72] remembers the replicas, scales from the number that it saw, and gives them back', async () => {
    await cluster(deployment(2), pods('rtu-1', 'rtu-2'));
    const { before } = await stop().check();
    expect(before).toEqual({ replicas: 2 });
    await host.write('none.json', deployment(0));
    await change(`cp none.json deployment.json; echo '{"items":[]}' > pods.json`);
    await stop().run();
    await host.write('two.json', deployment(2));
    await host.write('both.json', pods('rtu-3', 'rtu-4'));
    await change('cp two.json deployment.json; cp both.json pods.json');
    await stop().undo(before);
    const scales = (await calls()).filter((line) => line.includes('scale'));
    expect(scales[0]).toContain('--current-replicas=2 --replicas=0');
    expect(scales[1]).toContain('--current-replicas=0 --replicas=2');
    expect(await codeOf(stop().undo({}))).toBe('SB-ACT-NO-RECEIPT');
  });
});

describe('kubernetes.setEnvFromSecret', () => {
  it('[T72] remembers the variable as it stood, and changes only the object that it saw', async () => {
    await cluster(deployment(1), pods('rtu-1'));
    const { before, problems } = await point().check();
    expect([before, problems]).toEqual([{ entry: OLD }, []]);
    await point().run();
    const patch = (await calls()).find((line) => line.includes('--type=json'));
    expect(patch).toContain('"op":"test","path":"/metadata/resourceVersion","value":"7"');
    expect(patch).toContain('"secretKeyRef":{"name":"new","key":"url"}');
  });

  it('[T73] stops the plan where a password stands in the Deployment: it could not be kept as a receipt', async () => {
    const env = [{ name: 'MONGODB_URL', value: 'mongodb://app:hunter2@old:27017/' }];
    await cluster(deployment(1, { env }), pods('rtu-1'));
    const checked = await point().check();
    expect(checked.problems.map(({ code }) => code)).toEqual(['SB-ACT-KUBERNETES-LITERAL']);
    expect(JSON.stringify(checked)).not.toContain('hunter2');
    expect(await codeOf(point().run())).toBe('SB-ACT-KUBERNETES-LITERAL');
    expect((await calls()).join('\n')).not.toContain('hunter2');
  });

  it('stops the plan when the Secret has no such key, and waits until no old pod is left', async () => {
    await cluster(deployment(1), pods('rtu-1', 'ending-1'));
    const other = bound('kubernetes.setEnvFromSecret', { env: 'MONGODB_URL', secret: 'new', key: 'uri' });
    expect((await other.check()).problems.map(({ code }) => code)).toEqual(['SB-ACT-KUBERNETES-SECRET']);
    expect(await codeOf(point().run())).toBe('SB-ACT-KUBERNETES-UNSETTLED');
  });
});
