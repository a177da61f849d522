/** Cells of a table row: each text with the width it is padded to; the last one may run on. */
export function row(...cells: readonly (readonly [text: string, width: number])[]): string {
  return cells
    .map(([text, width]) => text.padEnd(width))
    .join('')
    .trimEnd();
}

/** Puts `right` at the end of a line of `width` columns, at least two spaces after `left`. */
export function ends(left: string, right: string, width: number): string {
  if (right === '') return left.trimEnd();
  const gap = Math.max(2, width - left.length - right.length);
  return `${left}${' '.repeat(gap)}${right}`;
}

/** Cuts text that is too long, so that a row stays one line. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 2))}..`;
}

/** A table whose columns are as wide as their content, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const cells of rows) {
    for (const [i, cell] of cells.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((cells) => row(...cells.map((cell, i) => [cell, (widths[i] ?? 0) + 2] as const)));
}

/** Breaks text at spaces into lines of at most `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
