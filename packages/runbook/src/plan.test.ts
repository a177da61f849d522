import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readParamFile, withParams } from './param-values.ts';
import { parseRunbook } from './parse.ts';
import type { PlanInput } from './plan/input.ts';
import { makePlan } from './plan.ts';
import { EXAMPLES, host, nodeHosts, nodeParams, planInput } from './testing/hosts.ts';
import { SMALL, smallWith } from './testing/small.ts';
import { flatten, stepOf } from './testing/steps.ts';

function planOf(text: string, over: Partial<PlanInput> & Pick<PlanInput, 'hosts' | 'params'>) {
  const { runbook } = parseRunbook(text, { file: 'x.yaml' });
  if (!runbook) throw new Error('no runbook');
  return makePlan(runbook, planInput(over));
}
const example = (name: keyof typeof EXAMPLES) =>
  readFileSync(new URL(`./fixtures/${name}.yaml`, import.meta.url), 'utf8');
const small = (text = SMALL, over: Partial<PlanInput> = {}) =>
  planOf(text, {
    hosts: [host('node-1', { role: 'node' }), host('miner-1', { role: 'miner' })],
    params: { apps: [{ name: 'crud' }] },
    ...over,
  });
const node = (over: Partial<PlanInput> = {}) =>
  planOf(example('node-upgrade'), { hosts: nodeHosts, params: nodeParams, ...over });

describe('roles', () => {
  it('bind in the order that people count in, so that the canary is the first', () => {
    expect(node().plan?.roles.miners).toEqual(['miner-1', 'miner-2', 'miner-3', 'miner-10', 'miner-11']);
  });

  it('leave out who the operator leaves out, and take whom the operator chooses', () => {
    expect(node({ without: ['miner-2'] }).plan?.roles.miners).not.toContain('miner-2');
    expect(node({ chosen: { miners: ['miner-3', 'miner-1'] } }).plan?.roles.miners).toEqual(['miner-1', 'miner-3']);
  });

  it('offline: skip leaves silent hosts out; a step with no host left is skipped and says so', () => {
    const text = smallWith(['match: { role: miner } }', 'match: { role: miner }, count: { min: 0 }, offline: skip }']);
    const hosts = [host('node-1', { role: 'node' }), host('miner-1', { role: 'miner' }, { state: 'silent' })];
    const { plan } = small(text, { hosts });
    expect(plan?.roles.miners).toEqual([]);
    expect(stepOf(plan, 'miners-on', 'group').children).toEqual([]);
  });
});

describe('batches', () => {
  it('are shares of the hosts in order, the last size repeating; the whole group goes through each', () => {
    const { plan } = node();
    const group = stepOf(plan, 'miners-back', 'group');
    expect(group).toMatchObject({ mode: 'batches', maxFailures: 2 });
    expect(stepOf(plan, 'started[batch=1]', 'action').targets.map((t) => t.host)).toEqual(['miner-1']);
    expect(stepOf(plan, 'started[batch=2]', 'action').targets).toHaveLength(4);
  });

  it('take percentages of the role, at least one host', () => {
    const hosts = [
      host('node-1', { role: 'node' }),
      ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => host(`m-${n}`, { role: 'miner' })),
    ];
    const { plan } = small(smallWith(['sizes: [1]', 'sizes: [5%, 30%]']), { hosts });
    const sizes = stepOf(plan, 'miners-on', 'group').children.map((s) => ('targets' in s ? s.targets.length : 0));
    expect(sizes).toEqual([1, 3, 3, 2]);
  });
});

describe('references', () => {
  it('are resolved for each host, and pinned to instance and host where only the run knows', () => {
    const { plan } = planOf(example('mongodb-cutover'), EXAMPLES['mongodb-cutover']);
    expect(stepOf(plan, 'writers-started[svc]', 'action').targets[0]?.with.replicas).toEqual({
      $step: 'writers-stopped[svc]',
      host: 'kube-1',
      from: 'receipt',
      path: ['replicas'],
    });
  });

  it('inside text become a join; of the run, a reference', () => {
    const { plan } = small(
      smallWith([
        'argv: [stop, "${item.name}"]',
        'argv: ["${run.id}", "h-${steps.before.values.height}-${host.name}"]',
      ]),
    );
    expect(stepOf(plan, 'apps-off[crud]', 'action').targets[0]?.with.argv).toEqual([
      { $run: 'id' },
      { $join: ['h-', { $step: 'before', host: 'node-1', from: 'values', path: ['height'] }, '-node-1'] },
    ]);
  });

  it('a label that one host lacks names the host', () => {
    const hosts = nodeHosts.map((h) => (h.name === 'miner-3' ? { ...h, labels: { role: 'miner' } } : h));
    expect(node({ hosts }).diagnostics).toMatchObject([{ code: 'SB236', message: '`miner-3` has no label `venv`.' }]);
  });
});

describe('fences and guards', () => {
  it('a fence of an item ends with the same item, and a guard stands for all gates in it', () => {
    const { plan } = planOf(example('kafka-cutover'), EXAMPLES['kafka-cutover']);
    expect(stepOf(plan, 'still[orders]', 'gate').fence).toEqual({ until: 'no-way-back', onBreak: 'hold' });
    expect(stepOf(plan, 'no-way-back', 'pointOfNoReturn').guards).toEqual([
      'still[orders]',
      'still[orders-enriched]',
      'lag-zero[orders]',
      'lag-zero[orders-enriched]',
      'groups-empty',
    ]);
    const mongo = planOf(example('mongodb-cutover'), EXAMPLES['mongodb-cutover']).plan;
    expect(stepOf(mongo, 'writers-gone[rtu]', 'gate').fence?.until).toBe('writers-started[rtu]');
    expect(stepOf(mongo, 'equal', 'gate').validWhile).toEqual(['source-quiet']);
  });

  it('a named gate is tightened key by key', () => {
    const { plan } = planOf(example('mongodb-cutover'), EXAMPLES['mongodb-cutover']);
    expect(stepOf(plan, 'lag-zero', 'gate')).toMatchObject({
      timeoutMs: 600_000,
      onTimeout: 'rollback',
      targets: [{ host: 'mirror-1', until: { stage: { equals: 'oplog sync' }, lagSeconds: { atMost: 0 } } }],
    });
  });

  it('steps after the last point of no return promise no undo', () => {
    const { plan } = planOf(example('mongodb-cutover'), EXAMPLES['mongodb-cutover']);
    expect(stepOf(plan, 'ttl-paused', 'action').reversible).toBe(true);
    expect(stepOf(plan, 'ttl-resumed', 'action').reversible).toBe(false);
    expect(stepOf(plan, 'ttl-resumed', 'action').targets[0]?.undoes).toBeUndefined();
  });
});

describe('exclusive resources', () => {
  const hosts = [...nodeHosts, host('node-2', { role: 'node' })];

  it('[I10] every other enrolled host must be proven stopped, forward and on the way back', () => {
    const { plan } = node({ hosts, chosen: { node: ['node-1'] } });
    const guards = stepOf(plan, 'node-started', 'action').targets[0]?.exclusive;
    expect(guards).toEqual([
      {
        resource: 'validator-key',
        direction: 'do',
        probe: 'systemd.unit',
        with: { unit: 'remesd.service' },
        hosts: ['node-2'],
        until: {
          activeState: { in: ['inactive', 'failed'] },
          processes: { equals: 0 },
          unitFileState: { in: ['masked', 'masked-runtime'] },
        },
      },
      {
        resource: 'validator-key',
        direction: 'do',
        probe: 'remesd.signerHeight',
        with: {},
        hosts: ['node-2'],
        until: { height: { still: true } },
      },
    ]);
    expect(stepOf(plan, 'node-stopped', 'action').targets[0]?.exclusive.map((g) => g.direction)).toEqual([
      'undo',
      'undo',
    ]);
    expect(plan?.hosts.map((h) => h.name)).toContain('node-2');
  });

  it('other units are not guarded', () => {
    expect(
      stepOf(node({ hosts, chosen: { node: ['node-1'] } }).plan, 'started[batch=1]', 'action').targets[0]?.exclusive,
    ).toEqual([]);
  });
});

describe('parameters', () => {
  it('of a file keep their source text: 1.10 is a version, 12e3456 a revision', () => {
    const { params, diagnostics } = readParamFile('version: 1.10\nminerPackage: 12e3456\n', { file: 'p.yaml' });
    expect(diagnostics).toEqual([]);
    const { binary = '', sha256 = '' } = nodeParams;
    const { plan } = node({ params: withParams(params, { binary, sha256 }) });
    expect(plan?.params).toMatchObject({ version: '1.10', minerPackage: '12e3456' });
  });

  it('secrets are references in the plan, also inside connections; values are never taken', () => {
    const { plan } = planOf(example('mongodb-cutover'), EXAMPLES['mongodb-cutover']);
    expect(plan?.params.source).toEqual({ uri: { $secret: 'file:/etc/signalbox/src-uri' } });
    const { diagnostics } = planOf(example('mongodb-cutover'), {
      ...EXAMPLES['mongodb-cutover'],
      params: { ...EXAMPLES['mongodb-cutover'].params, source: { uri: 'mongodb://u:hunter2@h/' } },
    });
    expect(diagnostics.map((d) => d.code)).toContain('SB211');
    expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
  });

  it.each([
    ['sha256', 'zz'],
    ['binary', 'relative/path'],
    ['binary', '/a/../b'],
    ['window', '3 weeks'],
  ])('a wrong %s is refused where it was given', (name, value) => {
    const { params } = readParamFile(`${name}: ${value}\n`, { file: 'p.yaml' });
    const { plan, diagnostics } = node({ params: withParams(withParams(undefined, nodeParams), {}) });
    expect(plan).toBeDefined();
    expect(diagnostics).toEqual([]);
    const given = new Map([...withParams(undefined, nodeParams).values, ...(params?.values ?? [])]);
    const wrong = node({ params: { kind: 'params', values: given } });
    expect(wrong.diagnostics).toMatchObject([{ code: 'SB205', file: 'p.yaml', line: 1, column: name.length + 3 }]);
  });

  it('a gate made too short by a parameter is found when the plan is made', () => {
    const text = smallWith([
      'probe: cometbft.status\n      hosts: node\n      until: { height: { rising: true } }',
      'probe: mongomirror.status\n      hosts: node\n      with: { unit: m }\n      until: { lagSeconds: { atMost: 1 } }',
    ]);
    expect(small(text).diagnostics).toEqual([]);
    expect(small(text, { params: { apps: [], window: '10s' } }).diagnostics).toMatchObject([{ code: 'SB301' }]);
  });
});

describe('when', () => {
  it('is decided once; what is not to be done stays in the plan with the reason', () => {
    const text = smallWith(
      ['    - id: told\n', '    - id: told\n      when: ${params.tell}\n'],
      ['    apps:', '    tell: { type: boolean }\n    apps:'],
    );
    expect(stepOf(small(text, { params: { apps: [], tell: false } }).plan, 'told', 'action')).toMatchObject({
      skip: 'when: ${params.tell}',
      targets: [],
    });
    expect(stepOf(small(text, { params: { apps: [], tell: true } }).plan, 'told', 'action').skip).toBeUndefined();
  });

  it('about the host is decided for each host, about the item for each item', () => {
    const text = smallWith(
      ['      do: exec.run', '      when: { item.name: { in: [rtu] } }\n      do: exec.run'],
      ['      batch: { sizes: [1] }\n', '      when: { host.labels.zone: { equals: a } }\n'],
    );
    const hosts = [
      host('node-1', { role: 'node' }),
      host('m-1', { role: 'miner', zone: 'a' }),
      host('m-2', { role: 'miner' }),
    ];
    const { plan } = small(text, { hosts, params: { apps: [{ name: 'crud' }, { name: 'rtu' }] } });
    expect(stepOf(plan, 'apps-off[crud]', 'action').skip).toBe('when');
    expect(stepOf(plan, 'apps-off[rtu]', 'action').skip).toBeUndefined();
    expect(stepOf(plan, 'miners-on', 'action').targets.map((t) => t.host)).toEqual(['m-1']);
  });
});

describe('when of a group', () => {
  it('about the host holds for every step in it', () => {
    const text = smallWith([
      '      batch: { sizes: [1] }\n      do: systemd.start\n      with: { unit: r3mes-miner.service }',
      '      when: { host.labels.zone: { equals: a } }\n      steps:\n        - { id: up, do: systemd.start, with: { unit: m.service } }',
    ]);
    const hosts = [
      host('node-1', { role: 'node' }),
      host('m-1', { role: 'miner', zone: 'a' }),
      host('m-2', { role: 'miner' }),
    ];
    expect(stepOf(small(text, { hosts }).plan, 'up', 'action').targets.map((t) => t.host)).toEqual(['m-1']);
  });
});

describe('timing', () => {
  it('stands on groups; a single step with a deadline gets a group of its own', () => {
    const text = smallWith([
      '    - id: called\n',
      '    - id: called\n      decideBy: 2026-11-21T04:30:00+01:00\n      onDeadline: rollback\n',
    ]);
    const { plan } = small(text);
    expect(stepOf(plan, 'called[timing]', 'group').timing).toEqual({
      decideByMs: Date.UTC(2026, 10, 21, 3, 30),
      onDeadline: 'rollback',
    });
    expect(stepOf(plan, 'called', 'manual').number).toBe(5);
  });

  it('parallel: n widens a forEach', () => {
    const { plan } = small(smallWith(['      forEach: {', '      parallel: 4\n      forEach: {']));
    expect(stepOf(plan, 'apps-off', 'group')).toMatchObject({ mode: 'parallel', limit: 4, forEach: true });
  });
});

describe('a checklist', () => {
  it('is a group that the report lists; what a person ticks off in it changes nothing, unless it has an undo', () => {
    const item = '      manual: { do: Call them., undo: Call again. }\n';
    const list = `      checklist: true
      steps:
        - { id: noted, manual: { do: Note who was told. } }
        - { id: rerouted, manual: { do: Call them., undo: Call again. } }
`;
    const { plan, diagnostics } = small(smallWith([item, list]));
    expect(diagnostics).toEqual([]);
    expect(stepOf(plan, 'called', 'group').checklist).toBe(true);
    expect(stepOf(plan, 'noted', 'manual').changes).toBe(false);
    expect(stepOf(plan, 'rerouted', 'manual')).not.toHaveProperty('changes');
    expect(stepOf(small().plan, 'called', 'manual')).not.toHaveProperty('changes');
  });
});

describe('included steps', () => {
  const common = `apiVersion: signalbox/v1
kind: Steps
spec:
  params: { unit: { type: string } }
  steps:
    - id: down
      do: systemd.stop
      with: { unit: "\${params.unit}" }
    - id: seen
      gate: { probe: systemd.unit, with: { unit: "\${params.unit}" }, until: { processes: { equals: 0 } }, for: 1s }
      holdUntil: done
    - { id: done, do: exec.run, with: { argv: ["\${steps.down.receipt.activeState}", "\${steps.before.values.height}"], effect: read } }
`;
  const text = smallWith([
    '    - id: called\n',
    '    - { id: extra, hosts: node, include: parts/stop.yaml, with: { unit: x.service } }\n    - id: called\n',
  ]);
  const parse = (files: Record<string, string>) =>
    parseRunbook(text, { file: 'a/x.yaml', include: (path) => files[path] });

  it('have ids below the including step, their own parameters, and see the steps around them', () => {
    const { runbook, diagnostics } = parse({ 'parts/stop.yaml': common });
    expect(diagnostics).toEqual([]);
    if (!runbook) throw new Error('no runbook');
    const hosts = [host('node-1', { role: 'node' }), host('miner-1', { role: 'miner' })];
    const { plan, diagnostics: found } = makePlan(runbook, planInput({ hosts, params: { apps: [] } }));
    expect(found).toEqual([]);
    expect(flatten(plan?.steps ?? []).map((s) => s.id)).toEqual(
      expect.arrayContaining(['extra', 'extra/down', 'extra/seen']),
    );
    expect(stepOf(plan, 'extra/down', 'action').targets[0]?.does).toBe('stop x.service');
    expect(stepOf(plan, 'extra/seen', 'gate').fence?.until).toBe('extra/done');
    expect(stepOf(plan, 'extra/done', 'action').targets[0]?.with.argv).toMatchObject([
      { $step: 'extra/down' },
      { $step: 'before' },
    ]);
  });

  it('may be a runbook, which gives its parameters, gates and steps', () => {
    const whole = common
      .replace('kind: Steps', 'kind: Runbook\nmetadata: { name: whole }')
      .replace('spec:\n', 'spec:\n  hosts: { node: { match: { role: other } } }\n');
    const { runbook, diagnostics } = parse({ 'parts/stop.yaml': whole });
    expect(diagnostics).toEqual([]);
    expect(runbook?.roles.get('node')?.match).toEqual({ role: 'node' });
    expect([...(runbook?.byPath.keys() ?? [])]).toEqual(expect.arrayContaining(['extra/down', 'extra/seen']));
  });

  it('findings in them carry their file', () => {
    const { diagnostics } = parse({ 'parts/stop.yaml': common.replace('for: 1s', 'for: soon') });
    expect(diagnostics).toMatchObject([{ code: 'SB113', file: 'a/parts/stop.yaml', line: 10 }]);
  });

  it('a file that includes itself is refused', () => {
    const loop = common.replace(
      '    - id: down',
      '    - { id: again, include: stop.yaml, with: { unit: x } }\n    - id: down',
    );
    const { diagnostics } = parse({ 'parts/stop.yaml': loop, 'stop.yaml': loop });
    expect(diagnostics.map((d) => d.code)).toEqual(['SB117']);
  });
});
