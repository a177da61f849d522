import { FINDINGS, type FindingCode, type Severity } from './codes.ts';

/** A place in a file. Lines and columns count from 1, columns and lengths in UTF-16 units; never beyond its line. */
export interface Span {
  file: string;
  line: number;
  column: number;
  length: number;
}

/** Offsets of a text as a span of its first line. */
export type Place = (from: number, to: number) => Span;

/** One thing that is wrong, or worth a second look, with the sentence that says what to do about it. */
export interface Diagnostic extends Span {
  code: FindingCode;
  severity: Severity;
  message: string;
  hint: string;
}

/** Collects findings; every part of the language reports into one, so that all of them are shown at once. */
export type Report = (code: FindingCode, at: Span, text: { message: string; hint?: string | undefined }) => void;

/** Beyond this many, a list of findings is noise: the first ones are what a person mends. */
const MOST_SHOWN = 200;

export function collector(): { report: Report; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const seen = new Set<string>();
  const report: Report = (code, { file, line, column, length }, { message, hint }) => {
    const { severity, next } = FINDINGS[code];
    const found = { code, severity, file, line, column, length, message, hint: hint ?? next };
    if (seen.has(sameness(found)) || diagnostics.length >= MOST_SHOWN) return;
    seen.add(sameness(found));
    diagnostics.push(found);
  };
  return { report, diagnostics };
}

/** One written step can stand for many instances: the same sentence about the same place is one finding. */
function sameness({ code, file, line, column, message }: Diagnostic): string {
  return `${code} ${file}:${line}:${column} ${message}`;
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}

/** By file, line and column, each finding once. */
export function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map((d) => d.file))];
  const distinct = [...new Map(diagnostics.map((d) => [sameness(d), d])).values()];
  return distinct.sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}
