import { POINTS } from '@signalbox/protocol/points';
import { LAWS, type RunRecord, type Violation } from './checks.ts';
import type { Struck } from './striker.ts';

/** A night, or several of them. */
export interface Figures {
  readonly struck: readonly Struck[];
  readonly runs: readonly RunRecord[];
  readonly violations: readonly Violation[];
  /** What was typed because a screen said so. */
  readonly typed: readonly string[];
  /** Programs that ended without being struck, with their exit code. */
  readonly exits: readonly string[];
}

/**
 * From the moment when the victim is back, or, as another coordinator takes over, from the strike at a coordinator, until every run that was open then has gone on by a decision, for the slowest of
 * them. Runs that wait for a person are left out. Undefined: no run was open, or none of them was decided on any more.
 */
export function resumedAfterMs(
  { target, atMs: struckAtMs, backAtMs }: Struck,
  runs: readonly RunRecord[],
): number | undefined {
  const fromMs = target === 'coordinator' ? struckAtMs : backAtMs;
  const waits = runs.flatMap(({ entries }) => {
    const before = entries.filter(({ atMs }) => atMs < fromMs);
    const next = entries[before.length];
    if (before.length === 0 || !next || isHeld(before)) return [];
    return [next.atMs - fromMs];
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

/** How long runs took to go on, shortest first. */
export function waitsOf(struck: readonly Struck[], runs: readonly RunRecord[]): number[] {
  return struck.flatMap((one) => resumedAfterMs(one, runs) ?? []).sort((a, b) => a - b);
}

function isHeld(entries: RunRecord['entries']): boolean {
  const turns = new Set(['Held', 'HoldLifted', 'Resumed']);
  return entries.flatMap(({ events }) => events).findLast(({ type }) => turns.has(type))?.type === 'Held';
}

export const isKill = ({ type }: Struck) => type === 'kill' || type === 'stop';

/** What a campaign came to, in one line of numbers. */
export function totals({ struck, runs, violations }: Figures) {
  const waits = waitsOf(struck, runs);
  const broken = (law: Violation['law']) => violations.filter((violation) => violation.law === law).length;
  return {
    kills: struck.filter(isKill).length,
    runs: runs.length,
    doubleExecutions: broken('twice'),
    lostOutcomes: broken('lost'),
    held: having(runs, 'Held').length,
    resumed: { medianMs: waits[Math.floor(waits.length / 2)], worstMs: waits.at(-1) },
  };
}

function having(runs: readonly RunRecord[], type: string): readonly RunRecord[] {
  return runs.filter(({ entries }) => entries.some(({ events }) => events.some((event) => event.type === type)));
}

function totalRows(figures: Figures): string[][] {
  const { kills, runs, doubleExecutions, lostOutcomes, held, resumed } = totals(figures);
  const counted = [kills, runs, doubleExecutions, lostOutcomes, held].map(String);
  return [
    ['kills and stops', 'runs', 'executed twice', 'outcomes lost', 'held', 'resumed after, median', 'worst'],
    [...counted, seconds(resumed.medianMs), seconds(resumed.worstMs)],
  ];
}

/** The whole result as lines. */
export function report(figures: Figures): string[] {
  const { runs, violations, typed, exits } = figures;
  const ends = runs.flatMap(({ entries }) =>
    entries.flatMap((entry) => entry.events.flatMap((e) => (e.type === 'Ended' ? [e.outcome] : []))),
  );
  const marks = runs.flatMap((run) => run.marks);
  const lines: [string, string | number][] = [
    ['runs', `${runs.length}: ${count(ends)}`],
    [
      'commands executed, by marks',
      new Set(marks.filter(({ what }) => what === 'begin').map(({ command }) => command)).size,
    ],
    ...Object.entries(LAWS).map(([law, words]): [string, number] => [
      words,
      violations.filter((v) => v.law === law).length,
    ]),
    [
      'runs held at some time',
      `${having(runs, 'Held').length}, lifted without a person in ${having(runs, 'HoldLifted').length}`,
    ],
    ['commands typed because a screen said so', typed.length],
    ['programs that ended by themselves', exits.length === 0 ? 0 : count(exits)],
  ];
  const width = Math.max(...lines.map(([words]) => words.length)) + 2;
  return [
    ...table(totalRows(figures)),
    '',
    ...table(victimRows(figures)),
    '',
    ...table(pointRows(figures)),
    '',
    ...lines.map(([words, figure]) => `${words.padEnd(width)}${figure}`),
    ...violations.map(({ law, what }) => `VIOLATED ${law}: ${what}`),
  ];
}

function count(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, times]) => `${word} ${times}`).join(', ');
}

const VICTIMS = [
  ['kill', 'agent'],
  ['kill', 'keeper'],
  ['kill', 'coordinator'],
  ['kill', 'nats'],
  ['stop', 'agent'],
  ['stop', 'keeper'],
  ['stop', 'coordinator'],
  ['stop', 'nats'],
  ['full-disk', 'agent'],
  ['full-disk', 'nats'],
  ['cut', 'agent'],
] as const;
const WORDS = { kill: 'SIGKILL', stop: 'SIGSTOP, SIGCONT', 'full-disk': 'disk full', cut: 'network cut' } as const;

function victimRows({ struck, runs }: Figures): string[][] {
  const rows = VICTIMS.map(([type, target]) => {
    const those = struck.filter((s) => s.type === type && s.target === target);
    const atPoint = those.filter(({ point }) => point !== undefined).length;
    const name = target === 'nats' ? 'nats-server' : target;
    return [
      WORDS[type],
      name,
      String(those.length),
      isKill({ type } as Struck) ? String(atPoint) : '-',
      ...resume(those, runs),
    ];
  });
  const total = [
    'all',
    '',
    String(struck.length),
    String(struck.filter(({ point }) => point).length),
    ...resume(struck, runs),
  ];
  return [['what', 'to', 'times', 'at points', 'resumed after, median', 'worst'], ...rows, total];
}

function pointRows({ struck, runs }: Figures): string[][] {
  const rows = Object.keys(POINTS).map((point) => {
    const those = struck.filter((s) => s.point === point);
    const of = (target: Struck['target']) => those.filter((s) => s.target === target).length;
    const others = [of('keeper'), of('nats')];
    const itself = those.length - others.reduce((sum, times) => sum + times);
    return [point, ...[itself, ...others].map(String), ...resume(those, runs)];
  });
  return [['struck at point', 'itself', 'keeper', 'nats-server', 'resumed after, median', 'worst'], ...rows];
}

function resume(struck: readonly Struck[], runs: readonly RunRecord[]): [string, string] {
  const waits = waitsOf(struck, runs);
  return [seconds(waits[Math.floor(waits.length / 2)]), seconds(waits.at(-1))];
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? '-' : `${(ms / 1_000).toFixed(2)} s`;
}

/** Words to the left, figures to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  const isWord = (column: number) =>
    Number.isNaN(Number.parseFloat(rows[1]?.[column] ?? '')) && rows[1]?.[column] !== '-';
  return rows.map((cells) =>
    cells
      .map((cell, i) => (isWord(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
