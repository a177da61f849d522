import {
  describeBroken,
  type Failure,
  formatDuration,
  judge,
  type LeafStep,
  type Observation,
  type Plan,
  REACH_PROBE,
  type Reached,
  reachedIn,
  reachTable,
} from '@signalbox/protocol';
import { indexOf, writtenId } from '@signalbox/sequencer';
import { safeText } from '../cli/safe-text.ts';
import { table } from './layout.ts';

/** What earlier runs of a runbook took, in milliseconds: by written step id, and by the name of a clock. */
export interface EarlierTimes {
  readonly steps: ReadonlyMap<string, number>;
  readonly clocks: ReadonlyMap<string, number>;
}

export interface Readiness {
  readonly step: string;
  readonly host: string | null;
  /** `later`: only the run itself can know what would be looked at. */
  readonly state: 'ok' | 'missing' | 'later';
  readonly note: string;
  readonly estimateMs: number | undefined;
}

export interface Clock {
  readonly name: string;
  /** Undefined when no earlier run tells of anything in it. */
  readonly estimateMs: number | undefined;
  readonly budgetMs: number | undefined;
  /** Steps in it of which no earlier run tells. */
  readonly unknown: number;
}

interface Seen {
  readonly observed: readonly Observation[];
  readonly problems: readonly { step: string; host: string; failure: Failure }[];
}

/** Each step on each host that something was asked of: what it said. */
export function readinessOf(plan: Plan, { observed, problems }: Seen, { steps }: EarlierTimes): Readiness[] {
  let changed = false;
  return indexOf(plan).refs.flatMap(({ leaf, host, left }): Readiness[] => {
    if (left || host === null) return [];
    const at = (entry: { step: string; host: string }) => entry.step === leaf.id && entry.host === host;
    const seen = observed.find(at);
    changed ||= leaf.kind === 'manual' || (leaf.kind === 'action' && leaf.effect !== 'read');
    const wrong = [
      ...problems.filter(at).map(({ failure }) => `${failure.message} [${failure.code}]`),
      ...(changed ? [] : unmet(leaf, host, seen)),
    ];
    const state = wrong.length > 0 ? 'missing' : seen ? 'ok' : 'later';
    const note = wrong.join('; ') || (seen?.note ?? (state === 'later' ? 'known when the run is there' : ''));
    return [{ step: leaf.id, host, state, note, estimateMs: steps.get(writtenId(leaf.id)) }];
  });
}

/** Why a gate that is asked once would fail now: nothing before it changes anything, so nothing before it will help. */
function unmet(leaf: LeafStep, host: string, seen: Observation | undefined): string[] {
  if (leaf.kind !== 'gate' || !leaf.once || seen === undefined) return [];
  if (Object.keys(seen.seen).length === 0) return [seen.note ?? 'no sample now'];
  const until = leaf.targets.find((target) => target.host === host)?.until ?? {};
  // What an earlier step of the run has to find out first.
  if (JSON.stringify(until).includes('"$step"')) return [];
  const broken = judge(until, [{ atMs: 0, values: seen.seen }]).find((j) => !j.holds);
  return broken ? [describeBroken(broken)] : [];
}

/** What each host connects to, as one table; nothing when the plan does not ask. */
export function reachLines(plan: Plan, observed: readonly Observation[]): string[] {
  const asks = new Set(
    indexOf(plan).refs.flatMap(({ leaf }) =>
      (leaf.kind === 'gate' || leaf.kind === 'record') && leaf.probe === REACH_PROBE ? [leaf.id] : [],
    ),
  );
  const samples = new Map<string, readonly Reached[]>();
  for (const { step, host, seen } of observed) {
    const reached = asks.has(step) ? reachedIn(seen) : [];
    if (reached.length > 0) samples.set(host, reached);
  }
  return table(
    reachTable([...samples].map(([host, reached]) => ({ host, reached }))).map((cells) =>
      cells.map((cell, i) => `${i === 0 ? '  ' : ''}${safeText(cell)}`),
    ),
  );
}

/** How long each clock of the plan will run: as long as it did before, or as its steps did one after the other. */
export function clocksOf(plan: Plan, earlier: EarlierTimes): Clock[] {
  const leaves = [
    ...new Set(
      indexOf(plan)
        .refs.filter(({ left, onlyUndo }) => !left && !onlyUndo)
        .map(({ leaf }) => leaf),
    ),
  ];
  const idsFrom = (leaf: LeafStep) => writtenId(leaf.id);
  return plan.downtime.map(({ name, from, to, budgetMs }) => {
    const inside = (leaf: LeafStep, id: string) => idsFrom(leaf) === id || groupsOf(plan, leaf).includes(id);
    const begin = leaves.findIndex((leaf) => inside(leaf, from));
    const end = leaves.findLastIndex((leaf) => inside(leaf, to));
    const steps = leaves.slice(Math.max(0, begin), end + 1);
    const known = steps.flatMap((leaf) => earlier.steps.get(idsFrom(leaf)) ?? []);
    const inTurn = known.length === 0 ? undefined : known.reduce((sum, ms) => sum + ms, 0);
    const estimateMs = earlier.clocks.get(name) ?? inTurn;
    return { name, estimateMs, budgetMs, unknown: steps.length - known.length };
  });
}

function groupsOf(plan: Plan, leaf: LeafStep): string[] {
  return (
    indexOf(plan)
      .byLeaf.get(leaf)?.[0]
      ?.groups.map(({ id }) => writtenId(id)) ?? []
  );
}

const MARK = { ok: 'ok', missing: 'MISSING', later: 'later' } as const;

export interface ReadinessScreen {
  readonly rows: readonly Readiness[];
  readonly clocks: readonly Clock[];
  readonly observed: readonly Observation[];
}

export function readinessScreen(plan: Plan, { rows, clocks, observed }: ReadinessScreen): string[] {
  const lines = rows.map(({ step, host, state, note, estimateMs }) => [
    `  ${MARK[state]}`,
    step,
    host ?? '-',
    estimateMs === undefined ? '' : roughly(estimateMs),
    note,
  ]);
  const missing = rows.filter(({ state }) => state === 'missing').length;
  const reach = reachLines(plan, observed);
  return [
    `REHEARSE ${plan.runbook.name}   mesh ${plan.mesh}   nothing is changed`,
    '',
    ...table(lines),
    '',
    ...(reach.length > 0 ? [...reach, ''] : []),
    ...clocks.map(clockLine),
    missing === 0 ? 'ready' : `${missing} of ${rows.length} are missing something`,
  ];
}

function clockLine({ name, estimateMs, budgetMs, unknown }: Clock): string {
  if (estimateMs === undefined) {
    const within = budgetMs === undefined ? '' : `; it may take ${formatDuration(budgetMs)}`;
    return `${name} down for a time of which no earlier run tells${within}`;
  }
  const budget = budgetMs === undefined ? '' : ` of ${formatDuration(budgetMs)}`;
  const rest = unknown === 0 ? '' : `, and ${unknown} steps of which no earlier run tells`;
  return `${name} down ${roughly(estimateMs)}${budget}${rest}`;
}

/** To the second, and never nothing. */
const roughly = (ms: number) => `~${formatDuration(Math.max(1_000, Math.round(ms / 1_000) * 1_000))}`;
