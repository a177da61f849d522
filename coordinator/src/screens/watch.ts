import { safeText } from '../cli/safe-text.ts';
import { type Fold, foldRows, type Shown } from './fold.ts';
import { gateLines } from './gate-lines.ts';
import { cut, ends, row, wrap } from './layout.ts';
import type { RunModel } from './model.ts';
import type { Row } from './row.ts';
import { clockLine, fenceText, headLine, hostsLine, nextLines } from './status-lines.ts';
import { timeOfDay, type Zone } from './time.ts';
import { undoLine } from './way.ts';

export interface WatchOptions {
  /** Columns of the terminal. */
  readonly width?: number;
  /** How many lines of the log. */
  readonly log?: number;
  /** The keys that work now; left out where there are none. */
  readonly keys?: string;
}

export const WATCH_KEYS = '[p]ause  [w]hy  [l]ogs  [n]ote  [q]uit: the run goes on';
const WIDEST = 120;

/** Screen 2: where the run stands, what it waits for and whether that comes nearer, what stands guard, what to do. */
export function watchScreen(model: RunModel, { width = 100, log = 3, keys }: WatchOptions = {}): string[] {
  const columns = Math.min(width, WIDEST);
  const clocks = clockLine(model);
  return [
    headLine(model),
    ...(model.away ? ['NO COORDINATOR: agents finish what they run; this is what was last known'] : []),
    ...(clocks === undefined ? [] : [clocks]),
    '',
    ...foldRows(model.rows).flatMap((shown) => stepLines(shown, columns, model)),
    '',
    ...section('fences', model.fences.map(fenceText)),
    ...section(
      'hosts',
      [hostsLine(model)].filter((line) => line !== ''),
    ),
    ...section('undo', undoLine(model.way)),
    ...section('dropped', model.dropped.length > 0 ? [model.dropped.join(', ')] : []),
    ...section('log', logLines(model, log)),
    ...section('next', [...nextLines(model), ...(keys === undefined ? [] : [keys])]),
  ];
}

function section(name: string, lines: readonly string[]): string[] {
  return lines.map((line, i) => `${(i === 0 ? name : '').padEnd(8)}${line}`);
}

function logLines(model: RunModel, count: number): string[] {
  return model.recent
    .filter((line) => line.notable)
    .slice(-count)
    .reverse()
    .map(({ atMs, text }) => `${timeOfDay(atMs, model)} ${text}`);
}

export function stepLines(shown: Shown, width: number, zone: Zone): string[] {
  return 'fold' in shown ? [foldLine(shown.fold, width, zone)] : rowLines(shown.row, width);
}

function foldLine({ from, to, word, names, endedAtMs }: Fold, width: number, zone: Zone): string {
  const [first = '', ...rest] = names;
  const said = names.length > 2 ? `${first} .. ${rest.at(-1)}` : names.join(', ');
  const left = row(['', 5], [`${from}-${to}`, 9], [word, 10], [said, 1]);
  return ends(left, endedAtMs === undefined ? '' : timeOfDay(endedAtMs, zone), width);
}

function rowLines(step: Row, width: number): string[] {
  if (step.kind === 'pointOfNoReturn' && step.stage === 'ahead') return [sealLine(step, width)];
  const mark = step.stage === 'active' || step.stage === 'bad' ? '>' : '';
  const head = row(['', 5], [String(step.number), 6], [mark, 3], [step.word, 10], [step.name, 27], [step.where, 10]);
  // The table's columns are wide enough for most names; a longer one pushes the rest to the right.
  const left = `${head.padEnd(61)}  `;
  const room = width - left.length - (step.timing === '' ? 0 : step.timing.length + 2);
  const line = ends(left + cut(step.detail, Math.max(12, room)), step.timing, width);
  const gates = step.gates.flatMap((gate) => gateLines(gate, step.gates.length > 1));
  return [line.trimEnd(), ...gates.flatMap((text) => wrap(text, width - 14)).map((text) => `${' '.repeat(14)}${text}`)];
}

function sealLine({ number, name, detail }: Row, width: number): string {
  const head = row(['', 5], [String(number), 6], ['', 3], ['------', 10], ['', 0]);
  return cut(`${head.padEnd(24)}POINT OF NO RETURN ${name}: ${safeText(detail)}`, width);
}
