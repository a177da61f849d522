import { describe, expect, it } from 'vitest';
import { checkRunbook } from './check.ts';
import type { Diagnostic } from './diagnostic.ts';
import { parseRunbook } from './parse.ts';
import { makePlan } from './plan.ts';
import { renderDiagnostics } from './render-diagnostics.ts';
import { catalogue } from './testing/catalogue.ts';
import { host, planInput } from './testing/hosts.ts';
import { marked, smallWith } from './testing/small.ts';

const file = 'night.yaml';

function check(text: string): Diagnostic[] {
  const { runbook, diagnostics } = parseRunbook(text, { file });
  return [...diagnostics, ...(runbook ? checkRunbook(runbook, catalogue) : [])];
}

/** Asserts exactly one finding, at the mark, and returns how it is shown. */
function one(code: string, text: string): string {
  const at = marked(text);
  const found = check(at.text);
  expect(found.map((d) => `${d.code} ${d.line}:${d.column}`)).toEqual([`${code} ${at.line}:${at.column}`]);
  return renderDiagnostics(found, { file, text: at.text });
}

describe('bad input', () => {
  it('a typo in a key: the key that was meant is named', () => {
    expect(
      one('SB110', smallWith(['      holdUntil: crossing\n', '      holdUntil: crossing\n      «onBraek»: hold\n'])),
    ).toMatch(/`onBraek` is no key[\s\S]*\n {5}\| {7}\^{7}\n.*Did you mean `onBreak`\?/);
  });

  it('a tab: its column, and nothing about what follows', () => {
    expect(one('SB102', smallWith(['      do: systemd.stop', '«\t» do: systemd.stop']))).toContain(
      'Replace the tab by spaces.',
    );
  });

  it('a duplicate id: the line of the other one', () => {
    expect(one('SB116', smallWith(['id: moves', 'id: «before»'], ['to: moves', 'to: started']))).toContain(
      'the other is in line 24',
    );
  });

  it('an unknown action: the nearest one', () => {
    expect(one('SB201', smallWith(['do: systemd.stop', 'do: «systemd.stpo»']))).toContain(
      'Did you mean `systemd.stop`?',
    );
  });

  it('a wrong type: what is there and what is expected', () => {
    expect(one('SB113', smallWith(['count: 1', 'count: «one»']))).toContain(
      '`count` is `one`; expected a number, or { min, max }.',
    );
  });

  it('a reference to nothing: the caret stands under the reference, not under the whole text', () => {
    const shown = one('SB207', smallWith(['argv: [stop, "${item.name}"]', 'argv: [stop, "--app=«${item.nam}»"]']));
    expect(shown).toMatch(/Did you mean `name`\?/);
  });

  it('`on:` instead of `hosts:`', () => {
    const text = smallWith(['      hosts: node\n      record', '      «on»: node\n      record']);
    expect(one('SB111', text)).toContain('Write `hosts:`.');
  });

  it('an anchor, an alias and a merge key: each where it stands', () => {
    const text = smallWith(
      ['until: { height: { rising: true } }', 'until: &u { height: { rising: true } }'],
      ['processes: { equals: 0 }', '<<: *u'],
    );
    expect(
      check(text)
        .filter((d) => d.code === 'SB106')
        .map((d) => `${d.line}:${d.column} ${d.message}`),
    ).toEqual(['21:14 An anchor, `&u`.', '36:18 A merge key.', '36:22 An alias, `*u`.']);
  });

  it.each([
    ['noise', () => Array.from({ length: 10_000_000 }, (_, i) => String.fromCharCode(32 + ((i * 7919) % 90))).join('')],
    ['brackets', () => '['.repeat(130_000)],
    ['dashes', () => '- '.repeat(65_000)],
    ['keys inside keys', () => Array.from({ length: 500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['quotes', () => '"'.repeat(130_000)],
    ['commas', () => `[${'a,'.repeat(65_000)}`],
    ['references', () => `spec: "${'${params.x}'.repeat(11_000)}"`],
  ])('as much %s as fits, or more: few and clear errors, soon', (_, text) => {
    const noise = text();
    const began = process.cpuUsage();
    const found = check(noise);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThan(5);
    expect(found[0]?.code).toMatch(/^SB1/);
    expect(renderDiagnostics(found, { file, text: noise }).length).toBeLessThan(2_000);
    expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
  });

  it('a host that is offline: named, with its role pointed at, and nothing is planned', () => {
    const at = marked(smallWith(['    node:', '    «node»:']));
    const { runbook } = parseRunbook(at.text, { file });
    if (!runbook) throw new Error('no runbook');
    const hosts = [host('node-1', { role: 'node' }, { state: 'silent' }), host('miner-1', { role: 'miner' })];
    const { plan, diagnostics } = makePlan(runbook, planInput({ hosts, params: { apps: [] } }));
    expect(plan).toBeUndefined();
    expect(diagnostics).toMatchObject([{ code: 'SB233', line: at.line, column: at.column, length: 4 }]);
    expect(diagnostics[0]?.message).toBe('`node-1` (role `node`) is silent.');
  });

  it('everything that is wrong is said at once, errors and warnings apart', () => {
    const text = smallWith(
      ['do: systemd.stop', 'do: systemd.stpo'],
      ['for: 3s', 'for: three'],
      ['holdUntil: crossing', 'holdUntill: crossing'],
      ['${params.window}', '${params.windw}'],
    );
    const found = check(text);
    const codes = (severity: string) => found.filter((d) => d.severity === severity).map((d) => d.code);
    expect(codes('error').sort()).toEqual(['SB110', 'SB113', 'SB201', 'SB207']);
    expect(codes('warning').sort()).toEqual(['SB220', 'SB308']);
  });
});
