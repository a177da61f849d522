import { type LogEntry, SignalboxError } from '@signalbox/protocol';
import { type Cell, clocksOf, indexOf, type RunState, writtenId } from '@signalbox/sequencer';
import type { EarlierTimes } from '../screens/readiness.ts';
import type { UndoTimes } from '../screens/undo-time.ts';
import type { MeshClient } from './client.ts';
import { RunLog } from './run-log.ts';

/** So many earlier runs are asked how long they took. */
const EARLIER_RUNS = 5;

/** The median of what each step and each clock took in the newest runs of the runbook that completed. */
export async function earlierTimes(client: MeshClient, runbook: string): Promise<EarlierTimes> {
  const runs = await earlierRuns(client, runbook, 'completed');
  return {
    steps: medians(runs, ({ state }) => forwardTimes(state)),
    clocks: medians(runs, ({ state }) => clockTimes(state)),
  };
}

/** The median of what each undo took in the newest runs of the runbook that were taken back. */
export async function earlierUndos(client: MeshClient, runbook: string): Promise<UndoTimes> {
  return medians(await earlierRuns(client, runbook, 'rolled-back'), ({ entries }) => undoTimes(entries));
}

type Read = Pick<RunLog, 'state' | 'entries'>;

async function earlierRuns(client: MeshClient, runbook: string, status: string): Promise<Read[]> {
  const { runs } = await client.ask('runs', {});
  const newest = runs
    .filter((run) => run.runbook === runbook && run.status === status)
    .sort((a, b) => b.createdAtMs - a.createdAtMs)
    .slice(0, EARLIER_RUNS);
  const read: Read[] = [];
  for (const { run } of newest) {
    const log = await RunLog.open(client, run).catch(unlessGone);
    if (log) read.push(log);
  }
  return read;
}

/** An archive may be emptied between the list and the look; what it had is then nobody's to tell. */
function unlessGone(error: unknown): undefined {
  if (error instanceof SignalboxError && error.code === 'SB-COORD-NO-RUN') return undefined;
  throw error;
}

function medians(runs: readonly Read[], timesOf: (run: Read) => [string, number][]): Map<string, number> {
  const took = new Map<string, number[]>();
  for (const [step, ms] of runs.flatMap(timesOf)) took.set(step, [...(took.get(step) ?? []), ms]);
  return new Map([...took].map(([step, all]) => [step, all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0]));
}

function forwardTimes(state: RunState): [string, number][] {
  return indexOf(state.plan).refs.flatMap(({ leaf, key }): [string, number][] => {
    const cell = state.cells.get(key);
    const ms = cell?.durationMs ?? (cell && elapsed(cell));
    return ms === undefined ? [] : [[writtenId(leaf.id), ms]];
  });
}

function clockTimes(state: RunState): [string, number][] {
  return clocksOf(state, state.runMs).flatMap(({ clock, elapsedMs }): [string, number][] =>
    elapsedMs === undefined ? [] : [[clock.name, elapsedMs]],
  );
}

function undoTimes(entries: readonly LogEntry[]): [string, number][] {
  return entries.flatMap(({ events }) =>
    events.flatMap((event): [string, number][] => {
      if (event.type !== 'StepSucceeded' || event.direction !== 'undo' || event.durationMs === undefined) return [];
      return [[writtenId(event.step), event.durationMs]];
    }),
  );
}

/** Gates have no command whose time an agent could tell; the log has when they began and ended. */
function elapsed({ startedAtMs, endedAtMs }: Cell): number | undefined {
  return startedAtMs === undefined || endedAtMs === undefined ? undefined : endedAtMs - startedAtMs;
}
