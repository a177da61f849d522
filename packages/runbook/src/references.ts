import type { Report, Span } from './diagnostic.ts';
import type { ScalarNode } from './node.ts';

/** What stands between `${` and `}`. Paths are never empty. */
export type Ref =
  | { root: 'params'; path: [string, ...string[]] }
  | { root: 'item'; path: string[] }
  | { root: 'host'; of: 'name' }
  | { root: 'host'; of: 'labels' | 'facts'; path: [string, ...string[]] }
  | { root: 'steps'; step: string; from: 'receipt' | 'values'; path: [string, ...string[]] }
  | { root: 'run' };

export type Part = { text: string } | { ref: Ref; at: Span; source: string };

/** Splits text into plain parts and references; reports what is in `${}` and is no reference. */
export function partsOf(node: ScalarNode, report: Report): Part[] {
  const parts: Part[] = [];
  let rest = 0;
  for (const match of node.text.matchAll(/\$\{([^}]*)(\}?)/g)) {
    if (match.index > rest) parts.push({ text: node.text.slice(rest, match.index) });
    rest = match.index + match[0].length;
    const at = within(node, match.index, match[0].length);
    const ref = match[2] === '}' ? parseRef(match[1] ?? '') : undefined;
    if (ref) parts.push({ ref, at, source: match[0] });
    else report('SB206', at, { message: `\`${match[0]}\` is no reference.` });
  }
  if (rest < node.text.length) parts.push({ text: node.text.slice(rest) });
  return parts;
}

/** True when the whole value is one reference: then the value keeps its type, and may be a secret. */
export function isWhole(parts: readonly Part[]): boolean {
  return parts.length === 1 && parts.every((part) => 'ref' in part);
}

/** Reads what stands between the braces; undefined when it is no reference. */
export function parseRef(inner: string): Ref | undefined {
  if (!/^[A-Za-z0-9_./[\]-]+$/.test(inner)) return undefined;
  if (inner === 'run.id') return { root: 'run' };
  if (inner === 'host.name') return { root: 'host', of: 'name' };
  const step = /^steps\.([a-z0-9][a-z0-9/-]*)\.(receipt|values)\.(.+)$/.exec(inner);
  if (step?.[1] && step[3]) {
    const from = step[2] === 'receipt' ? 'receipt' : 'values';
    const path = split(step[3]);
    return path && { root: 'steps', step: step[1], from, path };
  }
  const [root, ...path] = split(inner) ?? [];
  const [first, ...more] = path;
  if (root === 'item') return { root, path };
  if (root === 'params' && first) return { root, path: [first, ...more] };
  const [label, ...deeper] = more;
  if (root === 'host' && (first === 'labels' || first === 'facts') && label) {
    return { root, of: first, path: [label, ...deeper] };
  }
  return undefined;
}

function split(text: string): [string, ...string[]] | undefined {
  const [first, ...more] = text.split('.');
  return first && more.every((part) => part !== '') ? [first, ...more] : undefined;
}

/** The place of a piece of a scalar, as long as the scalar stands in one line; else the scalar. */
function within(node: ScalarNode, index: number, length: number): Span {
  const { at, text, plain } = node;
  const quote = plain ? 0 : 1;
  if (at.length !== text.length + 2 * quote) return at;
  return { ...at, column: at.column + quote + index, length };
}
