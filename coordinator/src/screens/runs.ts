import { formatDuration, type ReplyBody } from '@signalbox/protocol';
import { safeText } from '../cli/safe-text.ts';
import { table } from './layout.ts';
import { dateAndTime, type Zone } from './time.ts';

export type RunSummary = ReplyBody<'runs'>['runs'][number];

const ENDED: ReadonlySet<string> = new Set(['completed', 'rolled-back', 'aborted']);

/** A run that somebody still has to look after. One whose log cannot be read counts: nobody knows that it is over. */
export function isActive({ status }: Pick<RunSummary, 'status'>): boolean {
  return !ENDED.has(status);
}

export interface RunsWishes {
  readonly active?: boolean | undefined;
  /** Only runs that began in so many milliseconds before now. */
  readonly sinceMs?: number | undefined;
  readonly nowMs: number;
}

export function chosenRuns(runs: readonly RunSummary[], { active, sinceMs, nowMs }: RunsWishes): RunSummary[] {
  return runs.filter(
    (run) => (active !== true || isActive(run)) && (sinceMs === undefined || run.createdAtMs >= nowMs - sinceMs),
  );
}

export function runsScreen(mesh: string, runs: readonly RunSummary[], zone: Zone & { nowMs: number }): string[] {
  if (runs.length === 0) return [`mesh ${mesh}   no runs`];
  const rows = runs.map(({ run, status, by, createdAtMs, endedAtMs }) => [
    run,
    status.toUpperCase(),
    createdAtMs === 0 ? '' : dateAndTime(createdAtMs, zone),
    createdAtMs === 0 ? '' : formatDuration((endedAtMs ?? zone.nowMs) - createdAtMs),
    safeText(by),
  ]);
  return [
    `mesh ${mesh}   ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`,
    '',
    ...table([['run', 'status', 'started', 'took', 'by'], ...rows]),
  ];
}
