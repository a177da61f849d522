import { describe, expect, it } from 'vitest';
import { checkRunbook } from './check.ts';
import { parseRunbook } from './parse.ts';
import { catalogue } from './testing/catalogue.ts';
import { marked, smallWith } from './testing/small.ts';

/** A second and third way to make the same mistake; one of each finding is in findings.test.ts. */
function codesAt(text: string): string[] {
  const at = marked(text);
  const { runbook, diagnostics } = parseRunbook(at.text, { file: 'x.yaml' });
  const found = [...diagnostics, ...(runbook ? checkRunbook(runbook, catalogue) : [])];
  return found.filter((d) => d.line === at.line && d.column === at.column).map((d) => d.code);
}

const MORE = '    - id: miners-on';
const step = (...lines: string[]) => lines.map((line, i) => `    ${i === 0 ? '- ' : '  '}${line}\n`).join('');
const before = (id: string, ...lines: string[]): [string, string] => [
  `    - id: ${id}`,
  `${step(...lines)}    - id: ${id}`,
];
const gate = 'gate: { probe: systemd.unit, with: { unit: x }, until: { processes: { equals: 0 } }, for: 1s';

describe('nothing after the last point of no return promises a way back', () => {
  it.each([
    ['a step of the way back', step('id: x', '«only»: undo', 'gate: chain')],
    ['a gate whose timeout takes everything back', step('id: x', 'hosts: node', `${gate}, onTimeout: «rollback» }`)],
    [
      'a fence whose break does',
      step('id: x', 'hosts: node', `${gate} }`, 'holdUntil: miners-on', 'onBreak: «rollback»'),
    ],
    [
      'an undo that its author states',
      step('id: x', 'hosts: node', 'do: exec.run', 'with: { argv: [a], effect: reversible, «undo»: { argv: [b] } }'),
    ],
  ])('%s', (_, text) => {
    expect(codesAt(smallWith([MORE, `${text}${MORE}`]))).toEqual(['SB304']);
  });
});

describe('references', () => {
  it.each([
    ['a receipt that the action does not have', '${steps.stopped.receipt.replicas}', 'SB207'],
    ['values of an action', '${steps.stopped.values.height}', 'SB207'],
    ['a receipt of a record', '${steps.before.receipt.height}', 'SB207'],
    ['the step itself', '${steps.apps-off.receipt.exitCode}', 'SB209'],
    ['a step that is not there', '${steps.bevore.values.height}', 'SB207'],
    ['a field of a parameter that has none', '${params.window.seconds}', 'SB207'],
    ['a secret in other text', 'x-${params.token}', 'SB210'],
    ['an expression', '${params.window + 1}', 'SB206'],
  ])('to %s', (_, reference, code) => {
    const marks = reference.replace('${', '«${').replace(/$/, '»');
    expect(codesAt(smallWith(['argv: [stop, "${item.name}"]', `argv: [stop, "${marks}"]`]))).toEqual([code]);
  });

  it('to a secret, whole, in a field that takes none', () => {
    expect(codesAt(smallWith(['argv: [stop, "${item.name}"]', 'argv: [stop, "«${params.token}»"]']))).toEqual([
      'SB210',
    ]);
  });

  it('to a parallel branch, which may not be done yet', () => {
    const text = step(
      'id: both',
      'hosts: node',
      'parallel: true',
      'steps:',
      '  - { id: one, record: cometbft.status }',
      '  - { id: two, do: exec.run, with: { argv: ["«${steps.one.values.height}»"], effect: read } }',
    );
    expect(codesAt(smallWith([MORE, `${text}${MORE}`]))).toEqual(['SB209']);
  });

  it('to the items of a forEach, from outside of it', () => {
    const text = step(
      'id: x',
      'hosts: node',
      'do: exec.run',
      'with: { argv: ["«${steps.apps-off.receipt.exitCode}»"], effect: read }',
    );
    expect(codesAt(smallWith([MORE, `${text}${MORE}`]))).toEqual(['SB208']);
  });

  it('about the host, where one value is for all', () => {
    expect(codesAt(smallWith(['for: ${params.window}', 'for: «${host.labels.window}»']))).toEqual(['SB206']);
  });

  it('known only in the run, where the plan must know', () => {
    expect(codesAt(smallWith(['for: ${params.window}', 'for: «${steps.before.values.height}»']))).toEqual(['SB206']);
  });

  it.each([
    ['an action', 'do: systemd.stop\n', 'do: «${params.window}»\n', 'SB206'],
    ['a role', 'hosts: node\n      record', 'hosts: «${params.window}»\n      record', 'SB113'],
    ['an effect', 'effect: reversible, undo: { argv', 'effect: «"${params.window}"», undo: { argv', 'SB217'],
  ])('never in %s', (_, from, to, code) => {
    expect(codesAt(smallWith([from, to]))).toContain(code);
  });

  it('in a when: its keys are looked at as well', () => {
    expect(
      codesAt(smallWith(['    - id: told\n', '    - id: told\n      when: { «params.windw»: { equals: 1s } }\n'])),
    ).toEqual(['SB207']);
  });
});

describe('interlocking', () => {
  it('an irreversible step right behind a gate may stand, without one it may not', () => {
    const gone = step('id: gone', 'hosts: node', 'do: «exec.run»', 'with: { argv: [rm], effect: irreversible }');
    const clean = (text: string) =>
      text
        .replace(/ {4}- id: crossing[\s\S]*?guards: \[stays-down\]\n/, '')
        .replace('holdUntil: crossing', 'holdUntil: started');
    expect(codesAt(clean(smallWith([MORE, `${gone}${MORE}`])))).toEqual([]);
    expect(
      codesAt(
        clean(
          smallWith(
            before(
              'stopped',
              'id: gone',
              'hosts: node',
              'do: «exec.run»',
              'with: { argv: [rm], effect: irreversible }',
            ),
          ),
        ),
      ),
    ).toEqual(['SB305']);
  });

  it('a gate that is fresh at the crossing is a guard without being a fence', () => {
    const fresh = before('crossing', 'id: fresh', 'hosts: node', `${gate} }`);
    expect(codesAt(smallWith(fresh, ['guards: [stays-down]', 'guards: [stays-down, «fresh»]']))).toEqual([]);
  });

  it('a guard that comes after the crossing', () => {
    expect(codesAt(smallWith(['guards: [stays-down]', 'guards: [«moves»]']))).toEqual(['SB306']);
  });

  it('[I10] an exclusive unit is not started beside the step that stops it elsewhere', () => {
    const text = smallWith(
      ['    miners: {', '    other: { match: { role: x }, count: 1 }\n    miners: {'],
      [
        MORE,
        `${step('id: both', 'parallel: true', 'steps:', '  - { id: up, hosts: other, do: «systemd.start», with: { unit: remesd.service } }', '  - { id: down, hosts: node, do: systemd.stop, with: { unit: remesd.service } }')}${MORE}`,
      ],
    );
    expect(codesAt(text)).toEqual(['SB311']);
  });

  it('[I10] nor would taking a stop back start it on several hosts', () => {
    const text = step('id: all-down', 'hosts: miners', 'do: «systemd.stop»', 'with: { unit: remesd.service }');
    expect(codesAt(smallWith([`    - id: called`, `${text}    - id: called`]))).toEqual(['SB310']);
  });

  it('a timeout shorter than the window', () => {
    expect(codesAt(smallWith(['        for: 3s', '        for: 3s\n        timeout: «2s»']))).toEqual(['SB316']);
  });
});

describe('a runbook as long as one can be', () => {
  it('is checked soon', () => {
    const many = Array.from({ length: 900 }, (_, i) =>
      step(
        `id: s-${i}`,
        'hosts: node',
        'do: exec.run',
        'with: { argv: [a, "${steps.before.values.height}"], effect: read }',
      ),
    ).join('');
    const text = smallWith([MORE, `${many}${MORE}`]);
    const began = process.cpuUsage();
    const { runbook } = parseRunbook(text, { file: 'x.yaml' });
    expect(runbook && checkRunbook(runbook, catalogue)).toEqual([]);
    expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
  });
});
