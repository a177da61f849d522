import type { Report, Span } from './diagnostic.ts';

/**
 * In UTF-16 units. The three example runbooks have 4 to 8 thousand. The YAML parser needs quadratic time for some noise;
 * up to this size the worst of it is answered in well under a second.
 */
const MOST_TEXT = 128 * 1024;
const MOST_LEVELS = 64;

/**
 * What must hold before the text is given to a YAML parser. Parsers recurse: some ten thousand brackets, or `- - - -`,
 * exhaust the stack or the memory of the whole process, which no `catch` can mend. Returns false when the text must not
 * be parsed.
 */
export function withinBounds(text: string, file: string, report: Report): boolean {
  if (text.length > MOST_TEXT) {
    const message = `The file has ${text.length} characters; a runbook has at most ${MOST_TEXT}.`;
    report('SB101', { file, line: 1, column: 1, length: 1 }, { message });
    return false;
  }
  const deep = tooDeep(text);
  if (!deep) return true;
  report('SB104', { file, ...deep, length: 1 }, { message: `The text nests deeper than ${MOST_LEVELS} levels.` });
  return false;
}

function tooDeep(text: string): Pick<Span, 'line' | 'column'> | undefined {
  let brackets = 0;
  const indents: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [lead = ''] = /^[\s]*(?:[-?:][ \t]+)*/.exec(line) ?? [];
    if (lead.length < line.length) {
      while (indents.length > 0 && (indents.at(-1) ?? 0) >= lead.length) indents.pop();
      indents.push(lead.length);
    }
    const indicators = lead.replace(/\s/g, '').length;
    if (indents.length + indicators > MOST_LEVELS) return { line: index + 1, column: 1 };
    for (let column = 0; column < line.length; column += 1) {
      const c = line[column];
      if (c === '[' || c === '{') brackets += 1;
      // Brackets in quoted text do not nest; a closing one too many must not hide openings that follow.
      else if (c === ']' || c === '}') brackets = Math.max(0, brackets - 1);
      if (brackets > MOST_LEVELS) return { line: index + 1, column: column + 1 };
    }
  }
  return undefined;
}

/** Every tab in an indentation. YAML refuses them too, but then with sentences about what follows. */
export function findTabs(text: string, file: string, report: Report): boolean {
  let found = false;
  for (const [index, line] of text.split('\n').entries()) {
    const column = /^[ ]*\t/.exec(line)?.[0].length;
    if (column === undefined || line.trim() === '') continue;
    found = true;
    report('SB102', { file, line: index + 1, column, length: 1 }, { message: 'A tab in the indentation.' });
  }
  return found;
}
