import type { Journal } from './journal.ts';
import type { Stored } from './records.ts';
import { type JournalState, runOf } from './state.ts';

/** Below this, a journal is read in no time and is left alone. */
const WORTH_BYTES = 1_048_576;

/**
 * Leaves out what closed runs wrote, once all of it is in the stream. That a run is closed is kept, so whatever still
 * comes for it is refused: forgetting its command ids cannot make one of them run again [I1, D2].
 * @returns the runs that were forgotten.
 */
export function compact(journal: Journal, { worthBytes = WORTH_BYTES } = {}): string[] {
  if (journal.failure !== undefined || journal.sizeBytes < worthBytes) return [];
  const runs = forgettable(journal.state);
  if (runs.size === 0) return [];
  const kept = keep(journal.records(), { state: journal.state, forget: runs });
  journal.rewrite(kept);
  forget(journal.state, runs);
  return [...runs];
}

/** Closed, nothing of it still running, every report published. */
export function forgettable(state: JournalState): Set<string> {
  const runs = new Set<string>();
  for (const [run, known] of state.runs) if (known.closed) runs.add(run);
  for (const command of state.commands.values()) if (command.state === 'running') runs.delete(command.run);
  for (const record of state.unpublished.values()) {
    const run = runOf(record, state);
    if (run !== undefined) runs.delete(run);
  }
  const written = new Set([...state.commands.values()].map(({ run }) => run));
  for (const control of state.controls.values()) written.add(control.run);
  for (const run of runs) if (!written.has(run)) runs.delete(run);
  return runs;
}

/** The records that must stay. Of the starts only the last one says something that is not past. */
export function keep(
  records: readonly Stored[],
  { state, forget: runs }: { state: JournalState; forget: ReadonlySet<string> },
): Stored[] {
  const lastStart = records.findLast(({ type }) => type === 'opened');
  const kept = new Map<number, Stored>();
  for (const record of records) {
    const stays = compacted(record, { state, runs });
    const gone =
      (stays?.type === 'opened' && stays !== lastStart) ||
      (stays?.type === 'published' && !stays.records.some((n) => reports(kept.get(n))));
    if (stays !== undefined && !gone) kept.set(stays.n, stays);
  }
  return [...kept.values()];
}

/** Tombstones have been reported: as the controls that they were. */
function reports(record: Stored | undefined): boolean {
  return record !== undefined && record.type !== 'closed-run';
}

function compacted(
  record: Stored,
  { state, runs }: { state: JournalState; runs: ReadonlySet<string> },
): Stored | undefined {
  if (record.type === 'created') return { ...record, compactedThrough: state.lastN };
  const run = runOf(record, state);
  if (run === undefined || !runs.has(run)) return record;
  return record.type === 'control' && record.control === 'closed' ? tombstone(state, record) : undefined;
}

function tombstone({ starts }: JournalState, { n, atMs, run, epoch, nonce, head }: Stored<'control'>): Stored {
  const start = [...starts].find(([, of]) => of === run)?.[0];
  return { type: 'closed-run', n, atMs, run, epoch, nonce, head, ...(start === undefined ? {} : { start }) };
}

function forget(state: JournalState, runs: ReadonlySet<string>): void {
  for (const [id, command] of state.commands) if (runs.has(command.run)) state.commands.delete(id);
  for (const [id, control] of state.controls) if (runs.has(control.run)) state.controls.delete(id);
  for (const key of state.steps.keys()) if (runs.has(key.split(' ')[0] ?? '')) state.steps.delete(key);
}
