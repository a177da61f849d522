import type { Kill } from './cells.ts';

/** What became of a run in which somebody was killed at each of its steps. */
export interface Row {
  readonly stage: string;
  readonly outcome: string;
  /** Why a person was asked, in order; what that person did is `signalbox resume`. */
  readonly held: readonly string[];
  readonly written: number;
  readonly lost: number;
  readonly duplicated: number;
  /** How many may be there twice after these kills. */
  readonly accepted: number;
  readonly seconds: number;
  /** In order; nobody: the run that the others are compared with. */
  readonly killed: readonly Kill[];
}

const COLUMNS = ['stage', 'kills', 'outcome', 'held for', 'written', 'lost', 'duplicated', 'of at most', 's', 'killed'];
const NUMBERS = ['kills', 'written', 'lost', 'duplicated', 'of at most', 's'];
const NOTHING = '-';

const line = (cells: readonly (string | number)[]) =>
  `| ${cells.map((cell) => String(cell).replaceAll('|', '/')).join(' | ')} |`;

const list = (items: readonly string[]) => (items.length === 0 ? NOTHING : items.join('; '));
const listed = (cell: string) => (cell === NOTHING ? [] : cell.split('; '));

export const HEAD = [line(COLUMNS), line(COLUMNS.map((name) => (NUMBERS.includes(name) ? '---:' : '---')))];

export function print({ held, killed, ...row }: Row): string {
  const { stage, outcome, written, lost, duplicated, accepted, seconds } = row;
  const kills = killed.map(({ step, victim }) => `${step} ${victim}`);
  const counts = [written, lost, duplicated, accepted, seconds];
  return line([stage, kills.length, outcome, list(held), ...counts, list(kills)]);
}

/** The rows of a table as it was printed; whatever else is in the text is passed over. */
export function read(text: string): Row[] {
  const rows = text.split('\n').map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.flatMap(([stage = '', kills = '', outcome = '', held = '', ...rest]) => {
    const [killed = '', ...numbers] = rest.reverse();
    const [seconds = 0, accepted = 0, duplicated = 0, lost = 0, written = 0] = numbers.map(Number);
    if (!/^\d+$/.test(kills)) return [];
    return [
      {
        ...{ stage, outcome, held: listed(held), killed: listed(killed).map(killOf) },
        ...{ written, lost, duplicated, accepted, seconds },
      },
    ];
  });
}

function killOf(text: string): Kill {
  const [step = ''] = text.split(' ', 1);
  return { step, victim: text.slice(step.length + 1) };
}

/** Whether a kill stands in the table. */
export const has = (rows: readonly Row[], stage: string, kill: Kill): boolean =>
  rows.some(
    (row) => row.stage === stage && row.killed.some(({ step, victim }) => step === kill.step && victim === kill.victim),
  );

const OUTCOMES = ['completed', 'rolled-back', 'held'];

/** Whether nothing came of it that should not. */
export const isGood = ({ outcome, lost, duplicated, accepted }: Row): boolean =>
  OUTCOMES.includes(outcome) && lost === 0 && duplicated <= accepted;

/** A line for each stage. */
export function summary(rows: readonly Row[]): string[] {
  const stages = [...new Set(rows.map(({ stage }) => stage))];
  return stages.map((stage) => {
    const own = rows.filter((row) => row.stage === stage);
    const outcomes = [...new Set(own.map(({ outcome }) => outcome))];
    const counts = outcomes.map((name) => `${own.filter(({ outcome }) => outcome === name).length} ${name}`);
    const sum = (of: (row: Row) => number) => own.reduce((total, row) => total + of(row), 0);
    const held = own.filter((row) => row.held.length > 0).length;
    return (
      `${stage}: ${own.length} runs with ${sum(({ killed }) => killed.length)} kills, ${counts.join(', ')}; ` +
      `${held} asked a person; of ${sum((row) => row.written)} written ` +
      `${sum((row) => row.lost)} lost, ${sum((row) => row.duplicated)} duplicated, of at most ${sum((row) => row.accepted)}`
    );
  });
}
