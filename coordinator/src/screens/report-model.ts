import {
  type GateStep,
  type Json,
  type Leftover,
  type LogEntry,
  REACH_PROBE,
  type Reached,
  type RunEvent,
  reachedIn,
  valueAt,
} from '@signalbox/protocol';
import { clocksOf, indexOf, type RunState, type RunStatus, spokenId } from '@signalbox/sequencer';
import { eventLines } from './events.ts';
import { checklistOf, type ReportItem } from './report-checklist.ts';

/** What is told of a run to people who were not there; every sentence stands in the log. */
export interface RunReport {
  readonly run: string;
  readonly runbook: string;
  readonly mesh: string;
  readonly outcome: RunStatus;
  readonly planHash: string;
  readonly startedBy: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  readonly durationMs: number;
  readonly undoReason: string | undefined;
  readonly acceptedDrift: readonly string[];
  readonly crossed: readonly string[];
  readonly clocks: readonly { name: string; elapsedMs: number; budgetMs: number | undefined; over: boolean }[];
  readonly steps: readonly ReportStep[];
  readonly checklist: readonly ReportItem[];
  readonly gates: readonly ReportGate[];
  /** What each host could connect to, as it was last asked; also where that was not enough. */
  readonly reach: readonly { host: string; reached: readonly Reached[] }[];
  readonly people: readonly { atMs: number; text: string }[];
  readonly dropped: readonly { host: string; reason: string }[];
  readonly leftovers: readonly Leftover[];
}

export interface ReportStep {
  readonly number: number;
  readonly step: string;
  readonly host: string | null;
  readonly phase: string;
  /** Tries in the direction that needed more of them. */
  readonly attempts: number;
  readonly durationMs: number | undefined;
  /** What it saw before and noted while it worked: paths of backups, digests of images, commits. */
  readonly receipt: Readonly<Record<string, Json>>;
}

/** A gate with the values that passed it. */
export interface ReportGate {
  readonly step: string;
  readonly host: string | null;
  readonly values: Readonly<Record<string, Json>>;
  readonly atMs: number;
}

export function reportOf(state: RunState, entries: readonly LogEntry[], nowMs: number): RunReport {
  const endedAtMs = state.endedAtMs;
  return {
    run: state.run,
    runbook: state.plan.runbook.name,
    mesh: state.mesh,
    outcome: state.status,
    planHash: state.planHash,
    startedBy: state.submitter.name,
    startedAtMs: state.createdAtMs,
    endedAtMs,
    durationMs: (endedAtMs ?? nowMs) - state.createdAtMs,
    undoReason: state.undoReason ? `${state.undoReason.code}: ${state.undoReason.message}` : undefined,
    acceptedDrift: entries.flatMap(({ events }) =>
      events.flatMap((e) => (e.type === 'RunCreated' ? (e.accepted ?? []) : [])),
    ),
    crossed: state.crossed,
    clocks: clocksOf(state, state.runMs).flatMap(({ clock, elapsedMs }) =>
      elapsedMs === undefined
        ? []
        : [
            {
              name: clock.name,
              elapsedMs,
              budgetMs: clock.budgetMs,
              over: elapsedMs > (clock.budgetMs ?? Number.POSITIVE_INFINITY),
            },
          ],
    ),
    steps: stepsOf(state),
    checklist: checklistOf(state, entries, (event, leaf) =>
      leaf.kind === 'gate' ? askedValues(state, event, leaf) : {},
    ),
    gates: gatesOf(state, entries),
    reach: reachOf(state, entries),
    people: peopleOf(entries),
    dropped: [...state.dropped].map(([host, { reason }]) => ({ host, reason })),
    leftovers: state.leftovers,
  };
}

function stepsOf(state: RunState): ReportStep[] {
  return indexOf(state.plan).refs.flatMap((ref) => {
    const cell = state.cells.get(ref.key);
    if (cell === undefined) return [];
    const { phase, attempts, durationMs, before, receipt } = cell;
    return [
      {
        number: ref.leaf.number,
        step: spokenId(ref.leaf.id),
        host: ref.host,
        phase,
        attempts: Math.max(attempts.do, attempts.undo),
        durationMs,
        receipt: { ...before, ...receipt },
      },
    ];
  });
}

function gatesOf(state: RunState, entries: readonly LogEntry[]): ReportGate[] {
  const { byStep } = indexOf(state.plan);
  return entries.flatMap(({ atMs, events }) =>
    events.flatMap((event): ReportGate[] => {
      const leaf = byStep.get(event.type === 'StepSucceeded' ? event.step : '')?.[0]?.leaf;
      if (event.type !== 'StepSucceeded' || leaf?.kind !== 'gate') return [];
      return [{ step: spokenId(event.step), host: event.host, values: askedValues(state, event, leaf), atMs }];
    }),
  );
}

/** Of all that the probe has measured, what the gate was about. */
function askedValues(
  state: RunState,
  { step, values = {} }: Extract<RunEvent, { type: 'StepSucceeded' }>,
  { targets }: GateStep,
): Record<string, Json> {
  const adjusted = state.adjustments.get(step)?.until ?? {};
  const asked = new Set([...targets.flatMap(({ until }) => Object.keys(until)), ...Object.keys(adjusted)]);
  return Object.fromEntries([...asked].map((key) => [key, valueAt(values, key) ?? null]));
}

function reachOf(state: RunState, entries: readonly LogEntry[]): RunReport['reach'] {
  const { byStep } = indexOf(state.plan);
  const newest = new Map<string, readonly Reached[]>();
  for (const event of entries.flatMap(({ events }) => events)) {
    if (event.type !== 'StepSucceeded' && event.type !== 'StepFailed') continue;
    const leaf = byStep.get(event.step)?.[0]?.leaf;
    const asks = (leaf?.kind === 'gate' || leaf?.kind === 'record') && leaf.probe === REACH_PROBE;
    const reached = asks ? reachedIn(event.values ?? {}) : [];
    if (event.host !== null && reached.length > 0) newest.set(event.host, reached);
  }
  // In the plan's order, and not in the one in which hosts happened to answer.
  const hosts = new Set(indexOf(state.plan).refs.flatMap(({ host }) => host ?? []));
  return [...hosts].flatMap((host) => {
    const reached = newest.get(host);
    return reached ? [{ host, reached }] : [];
  });
}

/** Who said what: everything in the log that carries a person's name. */
function peopleOf(entries: readonly LogEntry[]): { atMs: number; text: string }[] {
  const said = entries.map((entry) => ({ ...entry, events: entry.events.filter(isByPerson) }));
  return eventLines(said).map(({ atMs, text }) => ({ atMs, text }));
}

function isByPerson(event: RunEvent): boolean {
  return 'by' in event && event.by !== undefined;
}
