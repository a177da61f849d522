import type { Direction, LogHead } from '@signalbox/protocol';
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
  children: Map<number, BodyOf<'process'>['group']>;
}

/** What the agent knows of a run: whom it obeys, and whether anything may still be asked [D2, I6]. */
export interface KnownRun {
  epoch: number;
  nonce: string;
  head: LogHead;
  closed: boolean;
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
      state.commands.get(record.commandId)?.children.set(record.child, record.group);
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
    case 'closed-run':
      state.runs.set(record.run, { epoch: record.epoch, nonce: record.nonce, head: record.head, closed: true });
      return;
  }
}

function applyIntent(state: JournalState, record: Stored<'intent'>): void {
  const { id, run, step, direction, attempt } = record.command;
  const known: KnownCommand = {
    id,
    run,
    state: 'running',
    content: record.content,
    intent: record,
    children: new Map(),
  };
  state.commands.set(id, known);
  const key = stepKey(run, step);
  const tries = state.steps.get(key) ?? { accepted: [] };
  tries.accepted.push({ id, direction, attempt });
  state.steps.set(key, tries);
  obey(state, run, record.command);
  state.unpublished.set(record.n, record);
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
  const run = obey(state, record.run, record);
  if (record.control === 'closed') run.closed = true;
  for (const id of record.withdrawn ?? []) {
    if (!state.commands.has(id)) {
      state.commands.set(id, { id, run: record.run, state: 'voided', children: new Map() });
    }
  }
  state.controls.set(record.id, record);
  state.unpublished.set(record.n, record);
}

/** Epochs only grow; the head moves forward within them. */
function obey(state: JournalState, run: string, by: { epoch: number; nonce: string; head: LogHead }): KnownRun {
  const known = state.runs.get(run) ?? { epoch: 0, nonce: '', head: by.head, closed: false };
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

/** The before-receipt that a retry inherits: the world was last untouched when the first try was accepted. */
export function firstBefore(state: JournalState, run: string, step: string): Stored<'intent'>['before'] | undefined {
  const first = state.steps.get(stepKey(run, step))?.accepted.find(({ direction }) => direction === 'do');
  return first && state.commands.get(first.id)?.intent?.before;
}

/** The run that a record is about; undefined for what is about the journal itself. */
export function runOf(record: Stored, state: JournalState): string | undefined {
  switch (record.type) {
    case 'intent':
    case 'refused':
      return record.command.run;
    case 'control':
    case 'closed-run':
      return record.run;
    case 'process':
    case 'outcome':
      return state.commands.get(record.commandId)?.run;
    default:
      return undefined;
  }
}
