import { missOf, type Row, ratioOf, type Skipped } from './figures.ts';

const HEAD = ['what', 'median', 'floor', 'ratio', 'target', ''];

/** The figures as lines of aligned columns. */
export function table(rows: readonly (Row | Skipped)[]): string[] {
  const cells = [
    HEAD,
    ...rows.map((row) => ('skipped' in row ? [row.what, '-', '', '', '', row.skipped] : cellsOf(row))),
  ];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((cell, column) =>
        column === 0 || column === HEAD.length - 1
          ? cell.padEnd(widths[column] ?? 0)
          : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function cellsOf(row: Row): string[] {
  const { what, unit, value, floor, target, note } = row;
  const ratio = ratioOf(row);
  const wanted = [
    ...(target?.ratio === undefined ? [] : [`${target.ratio}x`]),
    ...(target?.value === undefined ? [] : [`${target.value} ${unit}`]),
  ];
  const miss = missOf(row);
  const remark = [miss === undefined ? (wanted.length === 0 ? '' : 'met') : `MISSED: ${miss}`, note ?? ''];
  return [
    what,
    `${figure(value)} ${unit}`,
    floor === undefined ? '' : `${figure(floor)} ${unit}`,
    ratio === undefined ? '' : `${figure(ratio)}x`,
    wanted.length === 0 ? '' : `<= ${wanted.join(', ')}`,
    remark.filter((part) => part !== '').join('; '),
  ];
}

/** Three significant digits, as many as a noisy machine can mean. */
function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : Number(value.toPrecision(3)).toString();
}
