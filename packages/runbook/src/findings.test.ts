import { describe, expect, it } from 'vitest';
import { checkRunbook } from './check.ts';
import { FINDINGS, type FindingCode } from './codes.ts';
import { parseRunbook } from './parse.ts';
import type { PlanInput } from './plan/input.ts';
import { makePlan } from './plan.ts';
import { renderDiagnostics } from './render-diagnostics.ts';
import { catalogue } from './testing/catalogue.ts';
import { host, planInput } from './testing/hosts.ts';
import { marked, SMALL, smallWith } from './testing/small.ts';

const file = 'small.yaml';
/** A runbook that says something for a whole run. */
const WHOLE = `apiVersion: signalbox/v1
kind: Runbook
metadata: { name: whole }
spec:
  onFailure: hold
  hosts: { node: { match: { role: node } } }
  steps:
    - { id: told, manual: { do: Ring., undo: Ring again. } }
`;
const hosts = [
  host('node-1', { role: 'node' }),
  host('miner-1', { role: 'miner' }),
  host('miner-2', { role: 'miner' }),
];
const params = { apps: [{ name: 'crud' }, { name: 'rtu' }] };

function findingsOf(text: string, over: Partial<PlanInput> = {}) {
  const { runbook, diagnostics } = parseRunbook(text, {
    file,
    include: (path) => (path === 'whole.yaml' ? WHOLE : undefined),
  });
  return runbook ? makePlan(runbook, planInput({ hosts, params, ...over })).diagnostics : diagnostics;
}

/** A broken runbook with « » around what must be pointed at. `place: 'elsewhere'` when it is not in the runbook. */
interface Case {
  text: string;
  over?: Partial<PlanInput>;
  place?: 'elsewhere';
}

const edit = (...edits: [string, string][]): Case => ({ text: smallWith(...edits) });
const MORE = '    - id: miners-on';
const insert = (step: string, before = MORE): Case => edit([before, `${step}${before}`]);
const step = (id: string, ...lines: string[]) => [`    - id: ${id}`, ...lines.map((l) => `      ${l}`), ''].join('\n');
const secondNode = host('node-2', { role: 'node' });

const CASES: Record<FindingCode, Case> = {
  SB101: { text: `«#»${'x'.repeat(600_000)}` },
  SB102: edit(['      hosts: node\n      record', '      hosts: node\n    «\t»record']),
  SB103: edit(['do: Call them., undo: Call again. }\n', 'do: "Call them., undo: Call again. }«\n»']),
  SB104: { text: `a: ${'['.repeat(64)}«[»${']'.repeat(65)}\n` },
  SB105: edit(['  name: small', '  name: small\n  «name»: again']),
  SB106: edit(['effect: reversible, undo: { url', 'effect: «&r» reversible, undo: { url']),
  SB107: edit(['statement: No way', 'statement: «!!str» No way']),
  SB108: { text: '«- a list»\n' },
  SB109: edit(['do: Call them.,', 'do: Call him, «then them.»,']),
  SB110: edit(['holdUntil:', '«holdUntill»:']),
  SB111: edit(['hosts: node\n      record', '«on»: node\n      record']),
  SB112: edit(['        statement: No way back.\n        guards: [stays-down]', '        «guards: [stays-down]»']),
  SB113: edit(['for: 3s', 'for: «3 s»']),
  SB114: edit(['record: cometbft.status', 'record: cometbft.status\n      «approve»: { count: 1 }']),
  SB115: edit(['record: cometbft.status', 'record: cometbft.status\n      «holdUntil»: stopped']),
  SB116: edit(['id: stopped', 'id: «before»'], ['from: stopped', 'from: before']),
  SB117: insert(step('more', 'include: «gone.yaml»')),
  SB118: insert(step('more', 'include: «whole.yaml»')),
  SB201: edit(['do: systemd.stop', 'do: «systemd.stopp»']),
  SB202: edit(['probe: systemd.unit', 'probe: «systemd.units»']),
  SB203: edit(['with: { unit: remesd.service }\n    - id: stays', 'with: { unit: a, «unitt»: b }\n    - id: stays']),
  SB204: edit(['do: systemd.stop\n      with: { unit: remesd.service }', 'do: «systemd.stop»']),
  SB205: edit(['processes: { equals: 0 }', 'processes: { equals: «none» }']),
  SB206: edit(['argv: [stop, "${item.name}"]', 'argv: [stop, "«${itemname}»"]']),
  SB207: edit(['for: ${params.window}', 'for: «${params.windw}»']),
  SB208: insert(
    `${step(
      'look',
      'hosts: node',
      'do: exec.run',
      'with: { argv: [x, "«${steps.miners-first.values.height}»"], effect: read }',
    )}`,
    '    - id: called',
  ),
  SB209: edit(['argv: [stop, "${item.name}"]', 'argv: [stop, "«${steps.moves.values.height}»"]']),
  SB210: edit(['url: "http://x/stop"', 'url: "http://x/«${params.token}»"']),
  SB211: edit(['url: "http://x/stop"', 'url: «"http://me:secret@x/stop"»']),
  SB212: edit(['hosts: node\n      record', 'hosts: «nodes»\n      record']),
  SB213: edit(['hosts: node\n      record: cometbft.status', 'record: «cometbft.status»']),
  SB214: edit(['gate: chain', 'gate: «chains»']),
  SB215: edit(['guards: [stays-down]', 'guards: [«stay-down»]']),
  SB216: edit(['until: { height: { rising', 'until: { «heigth»: { rising']),
  SB217: edit(['effect: reversible, undo: { url: "http://x/go" },', 'effect: «reversible»,']),
  SB218: edit(['in: "${params.apps}"', 'in: «"${params.window}"»']),
  SB219: edit([
    '      do: systemd.start\n      with: { unit: r3mes',
    '      steps:\n        - id: inner\n          «batch»: { sizes: [1] }\n          do: systemd.start\n          with: { unit: r3mes',
  ]),
  SB220: edit(['    apps: {', '    «spare»: { type: string, default: x }\n    apps: {']),
  SB321: edit(
    ['  hosts:\n', '  window: { notBefore: 2026-11-21T02:00:00Z, notAfter: 2026-11-21T05:00:00Z }\n  hosts:\n'],
    ['hosts: node\n      record', 'hosts: node\n      «notBefore»: 2026-11-21T05:00:00Z\n      record'],
  ),
  SB230: { ...edit(['    apps:', '    «apps»:']), over: { params: {} } },
  SB231: { text: SMALL, over: { params: { ...params, aps: 1 } }, place: 'elsewhere' },
  SB232: { ...edit(['    node:', '    «node»:']), over: { hosts: [...hosts, secondNode] } },
  SB233: {
    ...edit(['    miners:', '    «miners»:']),
    over: { hosts: [...hosts, host('miner-3', { role: 'miner' }, { state: 'silent' })] },
  },
  SB234: { text: SMALL, over: { without: ['miner-9'] }, place: 'elsewhere' },
  SB235: {
    ...edit(['do: http.request', 'do: «http.request»']),
    over: {
      hosts: [
        host('node-1', { role: 'node' }, { actions: ['systemd.stop@1', 'systemd.start@1', 'exec.run@2'] }),
        ...hosts.slice(1),
      ],
    },
  },
  SB236: edit(['argv: [stop, "${item.name}"]', 'argv: [stop, "«${host.labels.zone}»"]']),
  SB237: {
    ...edit(['in: "${params.apps}"', 'in: «"${params.apps}"»']),
    over: { params: { apps: [{ name: 'a' }, { name: 'a' }] } },
  },
  SB301: insert(
    step(
      'lag',
      'hosts: node',
      'gate:',
      '  probe: mongomirror.status',
      '  with: { unit: m }',
      '  until: { lagSeconds: { atMost: 1 } }',
      '  for: «15s»',
    ),
  ),
  SB302: insert(
    step(
      'lag',
      'hosts: node',
      'gate:',
      '  probe: mongomirror.status',
      '  with: { unit: m }',
      '  until: { lagSeconds: { atMost: 1 } }',
      '  for: 30s',
      '  every: «2s»',
    ),
  ),
  SB303: insert(
    step('gone', 'hosts: node', 'do: «exec.run»', 'with: { argv: [rm], effect: idempotent }'),
    '    - id: crossing',
  ),
  SB304: insert(step('later', 'manual: { do: Ring., «undo»: Ring again. }')),
  SB305: insert(
    step('gone', 'hosts: node', 'do: «exec.run»', 'with: { argv: [rm], effect: irreversible }'),
    '    - id: stopped',
  ),
  SB306: edit(['guards: [stays-down]', 'guards: [stays-down, «told»]']),
  SB307: edit(['holdUntil: crossing', 'holdUntil: called'], ['guards: [stays-down]', 'guards: [«stays-down»]']),
  SB308: edit(['      holdUntil: crossing\n', ''], ['guards: [stays-down]', 'guards: [«stays-down»]']),
  SB309: edit(
    ['      holdUntil: crossing', '      when: true\n      holdUntil: crossing'],
    ['guards: [stays-down]', 'guards: [«stays-down»]'],
  ),
  SB310: insert(step('up', 'hosts: miners', 'do: «systemd.start»', 'with: { unit: remesd.service }')),
  SB311: insert(
    step('moved', 'hosts: other', 'do: «systemd.start»', 'with: { unit: remesd.service }'),
    '    - id: stopped',
  ),
  SB312: insert(
    step(
      'both',
      'parallel: true',
      'steps:',
      '  - { id: one, hosts: node, do: systemd.start, with: { unit: x.service } }',
      '  - { id: two, hosts: node, do: «systemd.restart», with: { unit: x.service } }',
    ),
  ),
  SB313: insert(
    step(
      'early',
      'hosts: node',
      'do: «remesd.install»',
      `with: { unit: remesd.service, source: /x, sha256: ${'a'.repeat(64)}, version: 1.10 }`,
    ),
    '    - id: stopped',
  ),
  SB314: edit([
    '    - id: crossing\n      pointOfNoReturn:\n        statement: No way back.\n        guards: [stays-down]\n',
    '    - id: both\n      parallel: true\n      steps:\n        - id: «crossing»\n          pointOfNoReturn: { statement: No., guards: [stays-down] }\n        - { id: wait, approve: {} }\n',
  ]),
  SB315: edit(['from: stopped, to: moves', 'from: stopped, to: «before»']),
  SB316: edit(
    ['      for: 30s\n  steps', '      once: true\n  steps'],
    ['until: { height: { rising', 'until: { height: { «rising»'],
  ),
  SB317: edit(['        for: 3s\n      holdUntil: crossing\n', ''], ['id: stays-down', 'id: «stays-down»']),
  SB318: edit(['    - id: stopped\n', '    - id: early\n      «only»: undo\n      approve: {}\n    - id: stopped\n']),
  SB319: edit(['      holdUntil: crossing', '      «onBreak»: hold']),
  SB320: edit([
    '      pointOfNoReturn:\n        statement: No way back.\n        guards: [stays-down]',
    '      «pointOfNoReturn»:\n        statement: No way back.',
  ]),
};
// Two need one more declaration than an edit in one place can make.
CASES.SB208.text = CASES.SB208.text.replace(
  '    - id: stopped\n',
  '    - { id: miners-first, hosts: miners, record: cometbft.status }\n    - id: stopped\n',
);
CASES.SB311.text = CASES.SB311.text.replace(
  '    miners: {',
  '    other: { match: { role: miner }, count: 1 }\n    miners: {',
);

describe('every finding', () => {
  it('none stands in the runbook that all of these break', () => {
    expect(renderDiagnostics(findingsOf(SMALL), { file, text: SMALL })).toBe('');
  });

  it.each(Object.entries(CASES))('[%s] is found at its place, with a caret under it', (code, { text, over, place }) => {
    const at = marked(text);
    const found = findingsOf(at.text, over).filter((d) => d.code === code);
    expect(found, renderDiagnostics(findingsOf(at.text, over), { file, text: at.text })).toHaveLength(1);
    const [finding] = found;
    if (place === 'elsewhere' || !finding) return;
    const { line, column, length } = at;
    expect(finding).toMatchObject({ line, column, length });
    const lines = renderDiagnostics([finding], { file, text: at.text }).split('\n');
    expect(lines[0]).toContain(`${file}:${line}:${column}`);
    if (column < 100) expect(lines[2]).toBe(`     | ${' '.repeat(column - 1)}${'^'.repeat(length)}`);
    expect(lines.at(-1)?.trim()).not.toBe('');
  });

  it('has the severity that its catalogue says, and a sentence about what to do', () => {
    for (const [code, { severity, next }] of Object.entries(FINDINGS)) {
      expect(code).toMatch(/^SB[123]\d\d$/);
      expect(next.length).toBeGreaterThan(10);
      expect(['error', 'warning']).toContain(severity);
    }
  });

  it('is not repeated by check for what parse has found', () => {
    const { runbook, diagnostics } = parseRunbook(marked(CASES.SB110.text).text, { file });
    const checked = runbook ? checkRunbook(runbook, catalogue) : [];
    expect(diagnostics.map((d) => d.code)).toContain('SB110');
    expect(checked.map((d) => d.code)).not.toContain('SB110');
  });
});
