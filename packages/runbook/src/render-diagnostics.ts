import type { Diagnostic } from './diagnostic.ts';
import { inOrder } from './diagnostic.ts';

export interface RenderDiagnosticsOptions {
  file: string;
  text: string;
  /** Texts of included files, by the name that diagnostics give them. */
  sources?: ReadonlyMap<string, string>;
  /** ANSI colours, for a terminal. */
  color?: boolean;
}

/** Longer lines are cut around the place that is meant, so that the caret stays on the screen. */
const WIDEST = 160;

/** Each finding with the line that it is about, a caret under the place, and what to do. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: RenderDiagnosticsOptions): string {
  const paint = options.color
    ? (code: number, s: string) => `\u001b[${code}m${s}\u001b[0m`
    : (_: number, s: string) => s;
  const blocks = inOrder(diagnostics).map((d) => {
    const head = `${d.file}:${d.line}:${d.column}  ${paint(d.severity === 'error' ? 31 : 33, `${d.severity} ${d.code}`)}  ${d.message}`;
    const source = d.file === options.file ? options.text : options.sources?.get(d.file);
    return [head, ...excerpt(d, source, paint), `      ${d.hint}`].join('\n');
  });
  return blocks.join('\n\n');
}

function excerpt(d: Diagnostic, source: string | undefined, paint: (code: number, s: string) => string): string[] {
  const whole = source?.split('\n', d.line)[d.line - 1];
  if (whole === undefined) return [];
  const from = d.column > WIDEST - 20 ? d.column - 40 : 0;
  const line = whole.slice(from, from + WIDEST).replace(/[\p{Cc}]/gu, ' ');
  const number = String(d.line).padStart(4);
  const caret = '^'.repeat(Math.max(1, Math.min(d.length, WIDEST - (d.column - from))));
  return [`${number} | ${line.trimEnd()}`, `     | ${' '.repeat(d.column - 1 - from)}${paint(36, caret)}`];
}
