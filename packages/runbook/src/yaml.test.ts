import { describe, expect, it } from 'vitest';
import { collector } from './diagnostic.ts';
import { get, toJson } from './node.ts';
import { readNode } from './read-node.ts';
import { renderDiagnostics } from './render-diagnostics.ts';
import { readYaml } from './yaml.ts';

function read(text: string) {
  const { report, diagnostics } = collector();
  return { node: readYaml(text, 'x.yaml', report), diagnostics };
}

function typed(text: string, type: string | string[]) {
  const { report, diagnostics } = collector();
  const node = get(read(`v: ${text}`).node, 'v');
  const codes = { unknown: 'SB110', missing: 'SB112', wrong: 'SB113' } as const;
  const value = node && readNode(node, { type }, { report, codes, noun: 'key', references: false });
  return diagnostics.length > 0 ? 'refused' : value;
}

describe('a plain scalar is read by the field that it stands in', () => {
  it.each([
    ['1.10', 'string', '1.10'],
    ['12e3456', 'string', '12e3456'],
    ['007', 'string', '007'],
    ['true', 'string', 'true'],
    ['null', 'string', 'null'],
    ['2026-11-21', 'string', '2026-11-21'],
    ['10', 'integer', 10],
    ['"10"', 'integer', 'refused'],
    ['1.5', 'integer', 'refused'],
    ['yes', 'boolean', 'refused'],
    ['true', 'boolean', true],
    ['"true"', 'boolean', 'refused'],
    ['', 'string', 'refused'],
    ['""', 'string', ''],
    ['false', ['boolean', 'string'], false],
    ['"false"', ['boolean', 'string'], 'false'],
    ['1.10', ['string', 'number'], '1.10'],
  ])('%s as %s', (text, type, want) => {
    expect(typed(text, type)).toBe(want);
  });

  it('numbers that a double cannot hold stay text where nothing is declared', () => {
    const { node } = read('a: 12e3456\nb: 9007199254740993\nc: .inf\nd: 5\n');
    expect(node && toJson(node)).toEqual({ a: '12e3456', b: '9007199254740993', c: '.inf', d: 5 });
  });
});

describe('positions', () => {
  it('count from 1, after a byte order mark and with any line ending', () => {
    for (const text of ['a: 1\nb: &x 2\n', 'a: 1\r\nb: &x 2\r\n']) {
      expect(read(text).diagnostics).toMatchObject([{ line: 2, column: 4, length: 2 }]);
    }
  });

  it('of a second document', () => {
    expect(read('a: 1\n---\nb: 2\n').diagnostics).toMatchObject([{ code: 'SB103', line: 2, column: 1 }]);
  });

  it('end with their line, so that a caret never runs into the next', () => {
    const { node } = read('a: "one\n  two"\n');
    expect(get(node, 'a')?.at).toMatchObject({ line: 1, column: 4, length: 4 });
  });
});

describe('showing findings', () => {
  const at = { file: 'x.yaml', line: 1, column: 401, length: 3 };
  const finding = { code: 'SB110', severity: 'error', message: 'm', hint: 'h', ...at } as const;

  it('a long line is cut around the place that is meant', () => {
    const text = `${'x'.repeat(400)}abc${'y'.repeat(400)}`;
    const [, line = '', caret = ''] = renderDiagnostics([finding], { file: 'x.yaml', text }).split('\n');
    expect(line.length).toBeLessThan(180);
    expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('abc');
  });

  it('an included file is shown from its own text; without one there is no excerpt', () => {
    const other = { ...finding, file: 'y.yaml', column: 1 };
    const sources = new Map([['y.yaml', 'abc: 1']]);
    expect(renderDiagnostics([other], { file: 'x.yaml', text: '', sources })).toContain('   1 | abc: 1\n     | ^^^');
    expect(renderDiagnostics([other], { file: 'x.yaml', text: '' }).split('\n')).toHaveLength(2);
  });

  it('colours only when asked to, and never passes on control characters of the file', () => {
    const text = '\u001b[31mred';
    expect(renderDiagnostics([{ ...finding, column: 1 }], { file: 'x.yaml', text })).not.toContain('\u001b');
    expect(renderDiagnostics([{ ...finding, column: 1 }], { file: 'x.yaml', text, color: true })).toContain(
      '\u001b[31merror SB110',
    );
  });
});
