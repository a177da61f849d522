import { actionError } from '../codes.ts';

/** One line of an environment file; what is no assignment (comments, blank lines) is kept as it is. */
export type EnvLine = { kind: 'text'; text: string } | { kind: 'set'; name: string; value: string; text: string };

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/**
 * Reads an environment file as data. systemd, docker-compose and a shell agree on plain lines only: what one of them would
 * expand, or read differently from the others, is refused instead of guessed at [T12].
 * @throws SB-ACT-ENV-FILE, naming the line and never a value.
 */
export function parseEnv(text: string, path: string): EnvLine[] {
  const lines = text.replace(/\n$/, '').split('\n');
  const found = lines.map((line, index): EnvLine => {
    if (/^\s*([#;]|$)/.test(line)) return { kind: 'text', text: line };
    const [, name, raw] = ASSIGNMENT.exec(line.replace(/\r$/, '')) ?? [];
    const wrong = (why: string) => actionError('SB-ACT-ENV-FILE', `${path}, line ${index + 1}: ${why}`);
    if (name === undefined || raw === undefined) throw wrong('no assignment');
    const value = unquote(raw.trim());
    if (value === undefined) throw wrong(`the quotes of ${name} do not fit together`);
    const literal = raw.trim().startsWith("'");
    if (!literal && /[`$]/.test(value)) throw wrong(`a shell would run or expand the value of ${name}`);
    return { kind: 'set', name, value, text: line };
  });
  const names = found.flatMap((line) => (line.kind === 'set' ? [line.name] : []));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw actionError('SB-ACT-ENV-FILE', `${path}: ${twice} stands more than once`);
  return found;
}

function unquote(raw: string): string | undefined {
  const quote = raw[0];
  if (quote !== '"' && quote !== "'") return /["']/.test(raw) || /\\/.test(raw) ? undefined : raw;
  const inner = raw.slice(1, -1);
  if (raw.length < 2 || raw.at(-1) !== quote) return undefined;
  if (quote === "'") return inner.includes("'") ? undefined : inner;
  return /^(?:[^"\\]|\\["\\])*$/.test(inner) ? inner.replace(/\\(["\\])/g, '$1') : undefined;
}

/** A line that systemd, docker-compose and a shell read alike. @throws SB-ACT-ENV-FILE for a value that none of them would. */
export function renderLine(name: string, value: string): string {
  if (/^[A-Za-z0-9_@%+=:,./?&~!*-]*$/.test(value)) return `${name}=${value}`;
  if (!/['\r\n\0]/.test(value)) return `${name}='${value}'`;
  if (!/[\r\n\0`$]/.test(value)) return `${name}="${value.replace(/["\\]/g, '\\$&')}"`;
  throw actionError('SB-ACT-ENV-FILE', `the value of ${name} cannot be written so that all readers agree on it`);
}

export const renderEnv = (lines: readonly EnvLine[]) => `${lines.map(({ text }) => text).join('\n')}\n`;

export function valueIn(lines: readonly EnvLine[], name: string): string | undefined {
  const line = lines.find((candidate) => candidate.kind === 'set' && candidate.name === name);
  return line?.kind === 'set' ? line.value : undefined;
}
