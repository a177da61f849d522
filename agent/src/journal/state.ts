import { isDeepStrictEqual } from 'node:util';
import type { Direction, JsonObject, LogHead } from '@signalbox/protocol';
import type { ProcessGroup } from '../ports.ts';
import type { BodyOf, Stored } from './records.ts';

/** What the agent knows of one command id. An id never leaves its last state. */
export interface KnownCommand {
  readonly id: string;
  readonly run: string;
  state: 'voided' | 'refused' | 'running' | 'ended';
  /** Fingerprint of what was asked; undefined when it was withdrawn before it was ever seen. */
  content?: string;
  intent?: Stored<'intent'>;
  outcome?: Stored<'outcome'>;
  refusal?: Stored<'refused'>;
  /** Its processes by child number; without a group, a child that was about to start. */
  children: Map<number, KnownProcess>;
}

/** A group with all its fields, as the ports have it. */
export const wholeGroup = ({ pid, startTicks }: { pid: number; startTicks?: string | undefined }): ProcessGroup => ({
  pid,
  startTicks,
});

export type KnownProcess = Pick<BodyOf<'process'>, 'group'> & {
  asked: string | undefined;
  monotonicMs: number | undefined;
};

/** What the agent knows of a run: whom it obeys, and whether anything may still be asked [D2, I6]. */
export interface KnownRun {
  epoch: number;
  nonce: string;
  head: LogHead;
  closed: boolean;
  /** The last vote for a point of no return: the first record of that round, and whether a yes was taken back since. */
  vote: { record: Stored<'vote'>; takenBack: boolean } | undefined;
  /** Votes in rounds up to this one bind no more, and are not given any more. */
  releasedThrough: number;
  /** The round by which a point of no return was crossed; 0: there is a way back. */
  sealedBy: number;
  /** Approvals that were proven here when something behind them began. */
  approved: ReadonlySet<string>;
}

/** [D4] It has voted for a crossing and does not know what came of it: until it does, nothing is undone. */
export function isBound({ vote, releasedThrough, sealedBy }: KnownRun): boolean {
  return vote?.record.vote === 'yes' && vote.record.round > Math.max(releasedThrough, sealedBy);
}

/** Accepted tries at one step of one run, oldest first. */
export interface KnownStep {
  accepted: { id: string; direction: Direction; attempt: number }[];
}

/** The journal, folded. Only `apply` changes it. */
export interface JournalState {
  identity: { journal: string; mesh: string; host: string; machine: string };
  lastN: number;
  /** Boot of the host at the last start of the agent. */
  boot: string;
  readonly commands: Map<string, KnownCommand>;
  readonly runs: Map<string, KnownRun>;
  readonly steps: Map<string, KnownStep>;
  /** The run of each start that operators have signed, for good: a signature is worth one run. */
  readonly starts: Map<string, string>;
  /** Control id -> record, so that a control that comes twice is answered the same way. */
  readonly controls: Map<string, Stored<'control'>>;
  /** Records whose report is not known to be in the stream, oldest first. */
  readonly unpublished: Map<number, Stored>;
}

export function emptyState(): JournalState {
  return {
    identity: { journal: '', mesh: '', host: '', machine: '' },
    lastN: 0,
    boot: '',
    commands: new Map(),
    runs: new Map(),
    steps: new Map(),
    starts: new Map(),
    controls: new Map(),
    unpublished: new Map(),
  };
}

export const stepKey = (run: string, step: string): string => `${run} ${step}`;

/** Takes one more record into account. */
export function apply(state: JournalState, record: Stored): void {
  state.lastN = record.n;
  switch (record.type) {
    case 'created':
      state.identity = { journal: record.journal, mesh: record.mesh, host: record.host, machine: record.machine };
      state.boot = record.boot;
      return;
    case 'opened':
      state.boot = record.boot;
      return;
    case 'intent':
      applyIntent(state, record);
      return;
    case 'process':
      applyProcess(state, record);
      return;
    case 'outcome':
      applyOutcome(state, record);
      return;
    case 'refused':
      applyRefusal(state, record);
      return;
    case 'control':
      applyControl(state, record);
      return;
    case 'published':
      for (const n of record.records) state.unpublished.delete(n);
      return;
    case 'vote':
      applyVote(state, record);
      return;
    case 'closed-run':
      obey(state, record.run, record).closed = true;
      if (record.start !== undefined) state.starts.set(record.start, record.run);
      return;
  }
}

function applyIntent(state: JournalState, record: Stored<'intent'>): void {
  const { id, run, step, direction, attempt } = record.command;
  if (record.start !== undefined) state.starts.set(record.start, run);
  const began: KnownCommand = {
    id,
    run,
    state: 'running',
    content: record.content,
    intent: record,
    children: new Map(),
  };
  state.commands.set(id, began);
  const key = stepKey(run, step);
  const tries = state.steps.get(key) ?? { accepted: [] };
  tries.accepted.push({ id, direction, attempt });
  state.steps.set(key, tries);
  const known = obey(state, run, record.command);
  // Whoever asks for this has crossed: that is as good as the seal, which may still be on its way.
  known.sealedBy = Math.max(known.sealedBy, record.command.crossing?.round ?? 0);
  if (record.approved) known.approved = new Set([...known.approved, ...record.approved]);
  state.unpublished.set(record.n, record);
}

function applyProcess(state: JournalState, { commandId, child, asked, monotonicMs, group }: Stored<'process'>): void {
  const children = state.commands.get(commandId)?.children;
  const known = children?.get(child);
  children?.set(child, { asked: known?.asked ?? asked, monotonicMs: known?.monotonicMs ?? monotonicMs, group });
}

function applyOutcome(state: JournalState, record: Stored<'outcome'>): void {
  const known = state.commands.get(record.commandId);
  if (known === undefined) return;
  known.state = 'ended';
  known.outcome = record;
  known.children.clear();
  state.unpublished.set(record.n, record);
}

/** A refusal of a conflicting body is reported, and changes nothing about the command that has the id [I1]. */
function applyRefusal(state: JournalState, record: Stored<'refused'>): void {
  const { id, run } = record.command;
  const known = state.commands.get(id) ?? { id, run, state: 'refused', content: record.content, children: new Map() };
  const conflicting = known.content !== undefined && known.content !== record.content;
  if (!conflicting && known.state !== 'ended') {
    state.commands.set(id, { ...known, state: 'refused', content: record.content, refusal: record });
  }
  state.unpublished.set(record.n, record);
}

function applyControl(state: JournalState, record: Stored<'control'>): void {
  state.controls.set(record.id, record);
  state.unpublished.set(record.n, record);
  if (record.failure) return;
  const run = obey(state, record.run, record);
  if (record.control === 'closed') run.closed = true;
  if (record.control === 'release') run.releasedThrough = Math.max(run.releasedThrough, record.round ?? 0);
  if (record.control === 'seal') run.sealedBy = Math.max(run.sealedBy, record.round ?? 0);
  for (const id of record.withdrawn ?? []) {
    if (!state.commands.has(id)) {
      state.commands.set(id, { id, run: record.run, state: 'voided', children: new Map() });
    }
  }
}

/** A later record of the same round takes a yes back; a vote in an earlier round comes too late to mean anything. */
function applyVote(state: JournalState, record: Stored<'vote'>): void {
  const run = obey(state, record.run, record);
  const present = run.vote?.record.round ?? 0;
  if (record.round > present) run.vote = { record, takenBack: false };
  else if (record.round === present && run.vote) run.vote = { ...run.vote, takenBack: true };
  state.unpublished.set(record.n, record);
}

const UNKNOWN_RUN = {
  epoch: 0,
  nonce: '',
  closed: false,
  vote: undefined,
  releasedThrough: 0,
  sealedBy: 0,
  approved: new Set<string>(),
} as const;

/** Epochs only grow; the head moves forward within them. */
function obey(state: JournalState, run: string, by: { epoch: number; nonce: string; head: LogHead }): KnownRun {
  const known = state.runs.get(run) ?? { ...UNKNOWN_RUN, head: by.head };
  if (by.epoch >= known.epoch) {
    known.head = by.epoch > known.epoch || by.head.sequence > known.head.sequence ? by.head : known.head;
    known.epoch = by.epoch;
    known.nonce = by.nonce;
  }
  state.runs.set(run, known);
  return known;
}

/** What undo needs of the step, as this host remembers it: the first capture, with what the tries at `do` returned. */
export function receiptOf(state: JournalState, run: string, step: string): Stored<'intent'>['before'] | undefined {
  const doing = (state.steps.get(stepKey(run, step))?.accepted ?? []).filter(({ direction }) => direction === 'do');
  const [first] = doing;
  if (first === undefined) return undefined;
  const receipt = { ...state.commands.get(first.id)?.intent?.before };
  for (const { id } of doing) Object.assign(receipt, state.commands.get(id)?.outcome?.outcome.receipt);
  return receipt;
}

/** What of a receipt this host has not found or returned itself. */
export function strangeIn(
  state: JournalState,
  { run, step, receipt }: { run: string; step: string; receipt: JsonObject },
): JsonObject {
  const own = receiptOf(state, run, step) ?? {};
  return Object.fromEntries(Object.entries(receipt).filter(([key, value]) => !isDeepStrictEqual(value, own[key])));
}

/** The before-receipt that a retry inherits: the world was last untouched when the first try was accepted. */
export function firstBefore(state: JournalState, run: string, step: string): Stored<'intent'>['before'] | undefined {
  const first = state.steps.get(stepKey(run, step))?.accepted.find(({ direction }) => direction === 'do');
  return first && state.commands.get(first.id)?.intent?.before;
}

/** Something has begun on this host that a point of no return was crossed for in that round, or nobody can rule it out. */
export function hasBegunBehind(state: JournalState, run: string, round: number): boolean {
  return [...state.commands.values()].some(({ run: of, intent, outcome, state: stands }) => {
    if (of !== run || intent?.command.crossing?.round !== round || stands === 'refused') return false;
    return outcome?.outcome.status !== 'unknown' || outcome.outcome.probed !== 'not-applied';
  });
}

/** The run that a record is about; undefined for what is about the journal itself. */
export function runOf(record: Stored, state: JournalState): string | undefined {
  switch (record.type) {
    case 'intent':
    case 'refused':
      return record.command.run;
    case 'control':
    case 'vote':
    case 'closed-run':
      return record.run;
    case 'process':
    case 'outcome':
      return state.commands.get(record.commandId)?.run;
    default:
      return undefined;
  }
}
