import type { CoordinatorBus, StoredEntry } from '@signalbox/bus';
import { compiled, LogEntry, Plan, RunEvent } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import { evolveEntry, initialState, type RunState, sequencerError } from '@signalbox/sequencer';
import { z } from 'zod';
import { coordinatorError } from './codes.ts';

/** Where the next entry goes, and what it must name as its predecessor. */
export interface LogHeadPosition {
  readonly index: number;
  readonly sequence: number;
  readonly hash: string;
}

export const EMPTY_HEAD: LogHeadPosition = { index: -1, sequence: 0, hash: '' };

export interface LoadedRun {
  readonly state: RunState;
  readonly head: LogHeadPosition;
  readonly entries: readonly LogEntry[];
  readonly planText: string;
  /** Hash of each entry by its stream sequence: where the log has stood. */
  readonly heads: ReadonlyMap<number, string>;
}

export interface NewEntry {
  readonly run: string;
  readonly epoch: number;
  readonly atMs: number;
  readonly runMs: number;
  readonly events: RunEvent[];
}

/**
 * Appends by compare-and-set. The entry names the hash of the one before it, so a log that lost or gained something in
 * the middle can be told.
 * @throws SB-COORD-DEPOSED when somebody else was first; whatever the bus throws when it cannot say.
 */
export async function appendEntry(
  bus: CoordinatorBus,
  head: LogHeadPosition,
  next: NewEntry,
): Promise<{ entry: LogEntry; head: LogHeadPosition }> {
  const entry: LogEntry = { v: 1, index: head.index + 1, previous: head.hash, ...next };
  const data = Buffer.from(JSON.stringify(entry));
  const result = await bus.append(next.run, data, head.sequence);
  if (result === 'conflict')
    throw coordinatorError('SB-COORD-DEPOSED', `${next.run} has an entry ${entry.index} that is not ours`);
  return { entry, head: { index: entry.index, sequence: result.sequence, hash: sha256(data) } };
}

/**
 * Reads a run back and folds it.
 * @throws SB-COORD-NO-RUN, or SB-RUN-LOG when the chain is broken or an event is not known: such a run is not led [D5].
 */
export async function loadRun(bus: CoordinatorBus, run: string): Promise<LoadedRun> {
  const stored = await bus.readRun(run);
  if (stored.length === 0) throw coordinatorError('SB-COORD-NO-RUN', `there is no run ${run}`);
  const { entries, head, heads } = readChain(run, stored);
  const created = entries[0]?.events[0];
  if (created?.type !== 'RunCreated') throw sequencerError('SB-RUN-LOG', `${run} does not begin with RunCreated`);
  const blob = await bus.getBlob(created.planHash);
  if (!blob) throw sequencerError('SB-RUN-LOG', `the plan ${created.planHash.slice(0, 8)} of ${run} is missing`);
  const planText = Buffer.from(blob).toString('utf8');
  const state = entries.reduce(evolveEntry, initialState(run, parsePlan(planText)));
  return { state, head, entries, planText, heads };
}

/** Whether the log still ends with the entry that it was read up to. @throws what the bus throws. */
export async function isStored(
  bus: CoordinatorBus,
  { state, head }: Pick<LoadedRun, 'state' | 'head'>,
): Promise<boolean> {
  const last = await bus.lastEntry(state.run);
  return last?.sequence === head.sequence && sha256(last.data) === head.hash;
}

export function parsePlan(text: string): Plan {
  try {
    return Plan.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n').slice(0, 3).join(' ') : '';
    throw coordinatorError('SB-COORD-PLAN', `this is not a plan of version 1: ${why.slice(0, 300)}`, { cause });
  }
}

function readChain(
  run: string,
  stored: readonly StoredEntry[],
): { entries: LogEntry[]; head: LogHeadPosition; heads: Map<number, string> } {
  let head = EMPTY_HEAD;
  const heads = new Map<number, string>();
  const entries: LogEntry[] = [];
  for (const { sequence, data } of stored) {
    const entry = readEntry(data, `entry ${head.index + 1} of ${run}`);
    if (entry.index !== head.index + 1 || entry.previous !== head.hash) {
      throw sequencerError('SB-RUN-LOG', `entry ${entry.index} of ${run} does not follow entry ${head.index}`);
    }
    entries.push(entry);
    head = { index: entry.index, sequence, hash: sha256(data) };
    heads.set(sequence, head.hash);
  }
  return { entries, head, heads };
}

/** @throws SB-RUN-LOG */
function readEntry(data: Uint8Array, which: string): LogEntry {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(data).toString('utf8'));
  } catch (cause) {
    throw sequencerError('SB-RUN-LOG', `${which} is not JSON`, { cause });
  }
  const parsed = compiled(LogEntry).safeParse(value);
  if (parsed.success) return parsed.data;
  const strange = eventTypes(value).find((type) => !KNOWN_EVENTS.has(type));
  if (strange !== undefined)
    throw sequencerError('SB-RUN-LOG', `${which} has an event ${strange}, which a newer version has written`);
  throw sequencerError('SB-RUN-LOG', `${which}: ${parsed.error.issues[0]?.message}`);
}

const KNOWN_EVENTS: ReadonlySet<string> = new Set(RunEvent.options.map(({ shape }) => shape.type.value));
const Events = z.object({ events: z.array(z.object({ type: z.string() })) });

/** Of an entry that may be of another version. */
function eventTypes(entry: unknown): string[] {
  const parsed = Events.safeParse(entry);
  return parsed.success ? parsed.data.events.map(({ type }) => type) : [];
}
