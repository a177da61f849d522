/** What became of a run in which one of those that work on it was killed. */
export interface Row {
  readonly stage: string;
  readonly step: string;
  /** Who was killed; `nobody`: the run that the others are compared with. */
  readonly victim: string;
  readonly outcome: string;
  /** Why a person was asked, in order; what that person did is `signalbox resume`. */
  readonly held: readonly string[];
  readonly written: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly seconds: number;
}

const COLUMNS = ['stage', 'step', 'victim', 'outcome', 'held for', 'written', 'lost', 'duplicated', 's'];
const NUMBERS = ['written', 'lost', 'duplicated', 's'];
const NOT_HELD = '-';

const line = (cells: readonly (string | number)[]) =>
  `| ${cells.map((cell) => String(cell).replaceAll('|', '/')).join(' | ')} |`;

export const HEAD = [line(COLUMNS), line(COLUMNS.map((name) => (NUMBERS.includes(name) ? '---:' : '---')))];

export function print({ held, ...row }: Row): string {
  const { stage, step, victim, outcome, written, lost, duplicated, seconds } = row;
  const why = held.length === 0 ? NOT_HELD : held.join('; ');
  return line([stage, step, victim, outcome, why, written, lost, duplicated, seconds]);
}

/** The rows of a table as it was printed; whatever else is in the text is passed over. */
export function read(text: string): Row[] {
  const cells = text.split('\n').map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return cells.flatMap(([stage = '', step = '', victim = '', outcome = '', held = '', ...numbers]) => {
    const [written = Number.NaN, lost = 0, duplicated = 0, seconds = 0] = numbers.map(Number);
    if (Number.isNaN(written)) return [];
    const why = held === NOT_HELD ? [] : held.split('; ');
    return [{ stage, step, victim, outcome, held: why, written, lost, duplicated, seconds }];
  });
}

/** Whether what is to be played stands in the table. */
export const has = (rows: readonly Row[], cell: Pick<Row, 'stage' | 'step' | 'victim'>): boolean =>
  rows.some(({ stage, step, victim }) => stage === cell.stage && step === cell.step && victim === cell.victim);

/** A line for each stage and outcome. */
export function summary(rows: readonly Row[]): string[] {
  const stages = [...new Set(rows.map(({ stage }) => stage))];
  return stages.map((stage) => {
    const own = rows.filter((row) => row.stage === stage);
    const outcomes = [...new Set(own.map(({ outcome }) => outcome))];
    const counts = outcomes.map((name) => `${own.filter(({ outcome }) => outcome === name).length} ${name}`);
    const sum = (of: (row: Row) => number) => own.reduce((total, row) => total + of(row), 0);
    const held = own.filter((row) => row.held.length > 0).length;
    return (
      `${stage}: ${own.length} cells, ${counts.join(', ')}; ${held} asked a person; of ${sum((row) => row.written)} written ` +
      `${sum((row) => row.lost)} lost, ${sum((row) => row.duplicated)} duplicated`
    );
  });
}
