import type { Scalar } from '@signalbox/protocol';
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLMap,
  type Scalar as YamlScalar,
} from 'yaml';
import type { Place, Report, Span } from './diagnostic.ts';
import type { Entry, Node } from './node.ts';
import { findTabs, withinBounds } from './text-bounds.ts';
import { refuseIndirection } from './yaml-indirection.ts';

/** Reads YAML 1.2 into a tree with positions; undefined when nothing in the text can be relied on. */
export function readYaml(text: string, file: string, report: Report): Node | undefined {
  if (!withinBounds(text, file, report)) return undefined;
  const tabs = findTabs(text, file, report);
  const clean = tabs ? text.replace(/^[ ]*\t[ \t]*/gm, (lead) => ' '.repeat(lead.length)) : text;
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(clean)];
  const place = placer(clean, file, lines);
  refuseIndirection(tokens, place, report);
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false,
    logLevel: 'silent',
    keepSourceTokens: true,
  });
  const [document, second] = [...composer.compose(tokens, true, clean.length)];
  if (second && !tabs) {
    const message = 'A second document begins here; a file has one.';
    report('SB103', place(second.range[0], second.range[0] + 1), { message });
  }
  if (document && !tabs) reportSyntax(document, place, report);
  if (!document || document.errors.length > 0) return undefined;
  return document.contents ? convert(document.contents, place, report) : undefined;
}

function placer(text: string, file: string, lines: LineCounter): Place {
  return (from, to) => {
    const { line, col } = lines.linePos(from);
    const newline = text.indexOf('\n', from);
    const end = Math.min(to, newline === -1 ? text.length : newline);
    return { file, line: Math.max(1, line), column: Math.max(1, col), length: Math.max(1, end - from) };
  };
}

/** The first error only: what a parser says about the rest of the text are consequences. */
function reportSyntax(document: Document.Parsed, place: Place, report: Report): void {
  const [first] = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0]);
  if (!first) return;
  const finding = first.code === 'RESOURCE_EXHAUSTION' ? 'SB104' : 'SB103';
  const [sentence] = first.message.split('\n');
  report(finding, place(first.pos[0], first.pos[0] + 1), { message: `Not YAML: ${sentence}.` });
}

function convert(node: ParsedNode, place: Place, report: Report): Node {
  const at = place(node.range[0], node.range[1]);
  if (isMap(node)) return convertMap(node as YAMLMap.Parsed, { at, place, report });
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item as ParsedNode, place, report));
    return { kind: 'list', at, items };
  }
  // An alias is refused already; in its place stands nothing, so that the rest is still looked at.
  if (isAlias(node) || !isScalar(node)) return { kind: 'scalar', at, text: '', value: null, plain: true };
  return { kind: 'scalar', at, ...scalar(node) };
}

function convertMap(node: YAMLMap.Parsed, { at, place, report }: { at: Span; place: Place; report: Report }): Node {
  const entries = new Map<string, Entry>();
  for (const { key, value, srcToken } of node.items) {
    const name = isScalar(key) ? String(key.source ?? key.value) : '';
    const keyAt = place(key.range[0], key.range[1]);
    if (node.flow === true && !hasColon(srcToken) && rejoin(name, [...entries.values()].at(-1)?.value)) {
      report('SB109', keyAt, {
        message: `\`, ${name}\` is read as part of the text before it; other YAML tools read a key.`,
      });
      continue;
    }
    const first = entries.get(name);
    if (first) {
      report('SB105', keyAt, {
        message: `\`${name}\` stands here a second time; the first is in line ${first.key.line}.`,
      });
      continue;
    }
    if (name === '<<') report('SB106', keyAt, { message: 'A merge key.' });
    const empty: Node = { kind: 'scalar', at: keyAt, text: '', value: null, plain: true };
    entries.set(name, { key: keyAt, value: value ? convert(value as ParsedNode, place, report) : empty });
  }
  return { kind: 'map', at, entries };
}

function hasColon(token: { sep?: { type: string }[] } | undefined): boolean {
  return token?.sep?.some(({ type }) => type === 'map-value-ind') ?? false;
}

/**
 * In `{ help: first, then that }` YAML ends the text at the comma and finds a key without a value. No key of the language
 * has no value, so what was meant is certain.
 */
function rejoin(words: string, before: Node | undefined): boolean {
  if (before?.kind !== 'scalar' || !before.plain || before.text === '') return false;
  before.text = `${before.text}, ${words}`;
  before.value = before.text;
  return true;
}

/** Numbers that a double cannot hold stay text: `12e3456` must not become Infinity, nor a height lose its last digits. */
function scalar(node: YamlScalar): { text: string; value: Scalar; plain: boolean } {
  const plain = node.type === 'PLAIN';
  const text = plain ? (node.source ?? '') : String(node.value ?? '');
  const { value } = node;
  if (typeof value === 'number') {
    const exact = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    return { text, value: exact ? value : text, plain };
  }
  if (typeof value === 'boolean' || value === null) return { text, value, plain };
  return { text, value: text, plain };
}
