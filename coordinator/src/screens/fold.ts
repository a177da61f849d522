import type { Row } from './row.ts';

/** What is shown: a row as it is, or a run of rows that have nothing to tell, folded into one line. */
export type Shown = { readonly row: Row } | { readonly fold: Fold };

export interface Fold {
  readonly from: number;
  readonly to: number;
  readonly word: string;
  readonly names: readonly string[];
  readonly endedAtMs: number | undefined;
}

/** How many steps ahead are named one by one. */
const AHEAD = 4;

/** Folds what is over before the last deed that is over, and what comes after the next few steps. */
export function foldRows(rows: readonly Row[]): Shown[] {
  const marks = { last: lastOver(rows), near: nearestAhead(rows) };
  const shown: Shown[] = [];
  let run: Row[] = [];
  const flush = () => {
    const [only] = run;
    if (run.length === 1 && only) shown.push({ row: only });
    if (run.length > 1) shown.push({ fold: foldOf(run) });
    run = [];
  };
  for (const [i, row] of rows.entries()) {
    const told = row.stage === 'ahead' && i > marks.near ? { ...row, word: 'later' } : row;
    if (!isFoldable(told, i, marks)) {
      flush();
      shown.push({ row: told });
    } else {
      if (!joins(run, told)) flush();
      run.push(told);
    }
  }
  flush();
  return shown;
}

function isFoldable(row: Row, i: number, { last, near }: { last: number; near: number }): boolean {
  switch (row.stage) {
    case 'active':
    case 'bad':
    case 'part':
      return false;
    case 'ahead':
      return i > near;
    case 'done':
      // A fence before the last deed is told by the line of fences; after it, it stands for itself.
      return i < last;
    case 'untouched':
      return true;
    default:
      return i !== last;
  }
}

/** A row with nothing to tell at all joins any run; the others join their like. */
function joins(run: readonly Row[], row: Row): boolean {
  const leading = run.find((r) => !isNeutral(r));
  // What has passed and needs no undo is not to be told as never begun.
  if (leading === undefined && run.length > 0 && row.word === 'not begun') return false;
  return isNeutral(row) || leading === undefined || leading.stage === row.stage;
}

function isNeutral(row: Row): boolean {
  return row.stage === 'untouched' && row.word !== 'not begun';
}

/** The last deed that is over: what a person asks about first. On the way back that is the one undone most recently. */
function lastOver(rows: readonly Row[]): number {
  const undone = rows.findIndex((row) => row.stage === 'undone');
  return undone >= 0 ? undone : rows.findLastIndex((row) => row.stage === 'done' && row.fence === undefined);
}

/** The last of the rows ahead that are shown one by one: up to the next point of no return, at most four. */
function nearestAhead(rows: readonly Row[]): number {
  const ahead = rows.flatMap((row, i) => (row.stage === 'ahead' ? [i] : [])).slice(0, AHEAD);
  const seal = ahead.find((i) => rows[i]?.kind === 'pointOfNoReturn');
  return seal ?? ahead.at(-1) ?? rows.length;
}

function foldOf(rows: readonly Row[]): Fold {
  const leading = rows.find((row) => !isNeutral(row)) ?? rows[0];
  const ends = rows.flatMap((row) => row.endedAtMs ?? []);
  return {
    from: rows[0]?.number ?? 0,
    to: rows.at(-1)?.number ?? 0,
    word: leading?.stage === 'done' ? 'done' : (leading?.word ?? ''),
    names: rows.map((row) => row.name),
    endedAtMs: leading?.stage === 'done' && ends.length > 0 ? Math.max(...ends) : undefined,
  };
}
