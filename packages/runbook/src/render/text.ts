import type { Plan } from '@signalbox/protocol';
import { clocksOf, findingsOf, rolesOf, secretsOf, windowOf } from './facts.ts';
import { linksOf, networkDrawing } from './network.ts';
import { type Row, rowsOf } from './rows.ts';
import { momentInWords, plural } from './words.ts';

const GAP = '  ';
const NARROWEST = 80;

/** The plan as a screen: what is done where in which order, how it is taken back, and from where on it is not. */
export function planAsText(
  plan: Plan,
  { width = 110, drift = [], hash }: { width?: number; drift?: readonly string[]; hash?: string },
): string {
  const wide = Math.max(width, NARROWEST);
  const { name, sha256 } = plan.runbook;
  const head = [
    `PLAN ${name}`,
    `mesh ${plan.mesh}`,
    `sha ${(hash ?? sha256).slice(0, 8)}`,
    plural(plan.hosts.length, 'host'),
    `made ${momentInWords(plan.madeAtMs)} by ${plan.madeBy}`,
  ];
  const secrets = secretsOf(plan).map(({ param, ref, hosts }) => `${param} ${ref} on ${hosts.join(', ') || 'no host'}`);
  return [
    head.join('   '),
    ...wrapped('hosts   ', rolesOf(plan), wide),
    ...(secrets.length > 0 ? wrapped('secrets ', [...secrets, '(values not read)'], wide) : []),
    '',
    ...table(rowsOf(plan), wide),
    '',
    ...network(plan),
    ...windowOf(plan),
    ...clocksOf(plan),
    `after a failure: ${plan.onFailure === 'hold' ? 'hold' : 'take everything back'}   ${findingsOf(plan)}`,
    ...(drift.length > 0 ? ['', 'DRIFT since this plan was made:', ...drift.map((d) => `  ${d}`)] : []),
    '',
  ].join('\n');
}

function network(plan: Plan): string[] {
  const lines = networkDrawing(linksOf(plan));
  return lines.length > 0 ? ['network', ...lines.map((line) => `  ${line}`), ''] : [];
}

function wrapped(label: string, words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = label;
  for (const [index, word] of words.entries()) {
    const gap = index === 0 || line === label || line.trim() === '' ? '' : '   ';
    if (line.length + gap.length + word.length > width && line.trim() !== label.trim()) {
      lines.push(line);
      line = ' '.repeat(label.length) + word;
    } else line += gap + word;
  }
  return [...lines, line];
}

function table(rows: readonly Row[], width: number): string[] {
  const steps = rows.filter((r) => r.kind === 'step');
  const fit = (cells: string[], title: string, most: number) =>
    Math.min(most, Math.max(title.length, ...cells.map((c) => c.length)));
  const step = fit(
    steps.map((r) => r.step),
    'step',
    28,
  );
  const where = fit(
    steps.map((r) => r.where),
    'where',
    20,
  );
  const rest = width - (3 + step + where + 4 * GAP.length);
  const undo = fit(
    steps.map((r) => r.undo),
    'undo',
    Math.floor(rest * 0.4),
  );
  const widths = [3, step, where, rest - undo, undo];
  const line = (...cells: string[]) => columns(cells, widths);
  return [
    ...line('  #', 'step', 'where', 'does', 'undo'),
    ...rows.flatMap((row) => {
      if (row.kind === 'note') return [`     -- ${row.text} --`];
      if (row.kind === 'crossing') return crossing(row, width);
      return line(String(row.number).padStart(3), row.step, row.where, row.does, row.undo);
    }),
  ];
}

function crossing({ number, step, statement, needs }: Extract<Row, { kind: 'crossing' }>, width: number): string[] {
  const head = `=${String(number).padStart(2, '=')} ${step} ==== POINT OF NO RETURN ==== ${needs} `;
  return [head.padEnd(width, '='), `     ${statement}`];
}

/** Long cells go on in the next line: a plan is reviewed, so nothing of it is cut off. */
function columns(cells: readonly string[], widths: readonly number[]): string[] {
  const folded = cells.map((cell, i) => fold(cell, widths[i] ?? cell.length));
  const height = Math.max(...folded.map((lines) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    folded
      .map((lines, i) => (lines[row] ?? '').padEnd(widths[i] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )/)) {
    // A word that is longer than a line is broken anyway: it may as well begin in this one.
    if (line !== '' && (line + word).trimEnd().length > width && word.length <= width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += word;
    while (line.trimEnd().length > width) {
      lines.push(line.slice(0, width));
      line = line.slice(width);
    }
  }
  return [...lines, line.trimEnd()];
}
