import type { LogEntry, RunEvent } from '@signalbox/protocol';
import type { Mark } from './work.ts';

/** A step on a host that changes something there. */
export interface Place {
  readonly step: string;
  readonly host: string;
}

/** A run when everything has come to rest: what its log says, and what the hosts say. */
export interface RunRecord {
  readonly run: string;
  readonly entries: readonly LogEntry[];
  /** Of this run's commands, from all hosts. */
  readonly marks: readonly Mark[];
  /** What is done on the hosts now. */
  readonly done: readonly Place[];
  /** Every action of the plan. */
  readonly actions: readonly Place[];
  /** Notes that were answered with yes. */
  readonly promised: readonly string[];
}

/** What must never be, in a word, and where it was. */
export interface Violation {
  readonly law: 'twice' | 'lost' | 'unfounded' | 'unlogged' | 'not-ended' | 'left-over' | 'sealed' | 'promise' | 'twin';
  readonly what: string;
}

export const LAWS: { readonly [L in Violation['law']]: string } = {
  twice: 'commands executed twice, or done again what was done [I1, I5]',
  lost: 'outcomes lost: the host did it, and the run does not know by itself',
  unfounded: 'successes without their mark [I5, I11]',
  unlogged: 'executions that the log does not know [I8]',
  'not-ended': 'runs neither ended nor held with a way out',
  'left-over': 'ends that the hosts contradict [I4]',
  sealed: 'steps undone after the point of no return [I3]',
  promise: 'notes acknowledged and not in the log [I8]',
  twin: 'runs begun more often than they were started',
};

type Try = Extract<RunEvent, { type: 'StepStarted' }>;
type Settling = Extract<RunEvent, { type: 'StepSucceeded' | 'StepFailed' | 'StepUnknown' | 'StepReset' }>;
const SETTLING = new Set<string>(['StepSucceeded', 'StepFailed', 'StepUnknown', 'StepReset']);

/** Compares what a run says with what was done. Shares nothing with the programs but the form of the log. */
export function judge(record: RunRecord): Violation[] {
  const events = record.entries.flatMap((entry) => entry.events);
  const tries = new Map(
    events.filter(isTry).map((event) => [event.work.kind === 'command' ? event.work.id : '', event] as const),
  );
  return [
    ...executions(record, { events, tries }),
    ...successes(record, events),
    ...ending(record, events),
    ...promises(record, events),
  ];
}

/** A start that is asked again because nobody answered begins one run. */
export function twins(runs: readonly string[], starts: ReadonlySet<string>): Violation[] {
  const over = runs.length - starts.size;
  return over > 0 ? [{ law: 'twin', what: `${runs.length} runs of ${starts.size} starts` }] : [];
}

function executions(
  { marks }: RunRecord,
  { events, tries }: { events: readonly RunEvent[]; tries: ReadonlyMap<string, Try> },
): Violation[] {
  const begun = marks.filter(({ what }) => what === 'begin').map(({ command }) => command);
  const twice = begun.filter((command, i) => begun.indexOf(command) !== i);
  const again = marks.filter(({ what }) => what === 'again').map(({ command }) => command);
  const crossedAt = events.findIndex(({ type }) => type === 'Crossed');
  const undone = marks.filter(({ what, verb }) => what === 'begin' && verb === 'undo');
  return [
    ...[...new Set([...twice, ...again])].map((what) => ({ law: 'twice' as const, what })),
    ...begun.filter((command) => !tries.has(command)).map((what) => ({ law: 'unlogged' as const, what })),
    ...(crossedAt < 0 ? [] : undone).map(({ command }) => ({ law: 'sealed' as const, what: command })),
    ...marks.flatMap((mark) => lost(mark, { events, tried: tries.get(mark.command) })),
  ];
}

/** A process that came to its end has an outcome, which its agent's journal or its probe can tell. */
function lost(
  { what, verb, command }: Mark,
  { events, tried }: { events: readonly RunEvent[]; tried: Try | undefined },
): Violation[] {
  if (what !== 'end' || tried === undefined) return [];
  const settled = events.filter(isSettling).findLast((event) => isOf(event, tried));
  const known =
    settled?.type === 'StepSucceeded'
      ? verb !== 'fail' && settled.via !== 'operator'
      : verb === 'fail' && (settled?.type === 'StepFailed' || settled?.type === 'StepReset');
  return known ? [] : [{ law: 'lost', what: `${command}: ${settled?.type ?? 'nothing'} in the log` }];
}

function successes({ marks }: RunRecord, events: readonly RunEvent[]): Violation[] {
  const ended = new Set(
    marks
      .filter(({ what, verb }) => what === 'end' && verb === 'do')
      .map(({ command }) => command.split(':').slice(1, 3).join('@')),
  );
  const commands = new Set(
    events
      .filter(isTry)
      .filter(({ work }) => work.kind === 'command')
      .map(keyOf),
  );
  return events.flatMap((event): Violation[] => {
    if (event.type !== 'StepSucceeded' || event.direction === 'undo' || !commands.has(keyOf(event))) return [];
    return ended.has(keyOf(event)) ? [] : [{ law: 'unfounded', what: `${keyOf(event)} succeeded (${event.via})` }];
  });
}

function ending({ run, done, actions }: RunRecord, events: readonly RunEvent[]): Violation[] {
  const end = events.find((event) => event.type === 'Ended');
  if (end?.type !== 'Ended') {
    const last = events.slice(-3).map(({ type }) => type);
    return [{ law: 'not-ended', what: [run, ...last].join(' ') }];
  }
  const wanted = new Set(end.outcome === 'completed' ? actions.map(keyOf) : []);
  const is = new Set(done.map(keyOf));
  return [
    ...[...wanted]
      .filter((key) => !is.has(key))
      .map((key) => ({ law: 'left-over' as const, what: `${run} ${end.outcome}, ${key} not done` })),
    ...[...is]
      .filter((key) => !wanted.has(key))
      .map((key) => ({ law: 'left-over' as const, what: `${run} ${end.outcome}, ${key} done` })),
  ];
}

function promises({ run, promised }: RunRecord, events: readonly RunEvent[]): Violation[] {
  const notes = new Set(events.flatMap((event) => (event.type === 'NoteAdded' ? [event.text] : [])));
  return promised.filter((note) => !notes.has(note)).map((note) => ({ law: 'promise', what: `${run}: ${note}` }));
}

const isTry = (event: RunEvent): event is Try => event.type === 'StepStarted';
const isSettling = (event: RunEvent): event is Settling => SETTLING.has(event.type);
const isOf = (a: Settling, b: Try) =>
  a.step === b.step && a.host === b.host && a.direction === b.direction && a.attempt === b.attempt;
const keyOf = ({ step, host }: { step: string; host: string | null }) => `${step}@${host}`;
