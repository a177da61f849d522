import type { CodeCatalogue } from '../failure.ts';

/** A Markdown table with aligned columns: the form that the formatter leaves alone. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [header, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = header.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) => `| ${widths.map((width, i) => (row[i] ?? '').padEnd(width)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
}

/** One package's failure codes, for its page. */
export function codeTable(codes: CodeCatalogue): string[] {
  const rows = Object.entries(codes).map(([code, entry]) => [`\`${code}\``, entry.class, entry.means, entry.next]);
  return table(['code', 'class', 'what it means', 'what to do next'], rows);
}
