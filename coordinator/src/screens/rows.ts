import { type ApprovalRule, formatClock, formatDuration, type LeafStep } from '@signalbox/protocol';
import {
  type Cell,
  type CellRef,
  cellOf,
  indexOf,
  type RunState,
  resolveCondition,
  writtenId,
} from '@signalbox/sequencer';
import { safeText } from '../cli/safe-text.ts';
import type { GateModel, LiveGate } from './gate-lines.ts';
import { isStandingFence, type Stage, stageOf } from './stages.ts';
import { namedValues } from './values.ts';

/** One written step with all its hosts and items: one line of screen 2. */
export interface Row {
  readonly number: number;
  readonly kind: LeafStep['kind'];
  readonly name: string;
  readonly where: string;
  /** `part`: some hosts or items are done, others have not begun. */
  readonly stage: Stage | 'part';
  /** The word that a person looks for: `done`, `WAITING`, `UNKNOWN`. */
  readonly word: string;
  readonly detail: string;
  /** At the right edge: how long, since when. */
  readonly timing: string;
  readonly endedAtMs: number | undefined;
  readonly fence: 'standing' | 'broken' | undefined;
  readonly gates: readonly GateModel[];
}

export interface RowContext {
  readonly state: RunState;
  /** Run time now. */
  readonly runMs: number;
  readonly live: readonly LiveGate[];
}

interface Instance {
  readonly ref: CellRef;
  readonly cell: Cell;
  readonly stage: Stage;
}

export function rowsOf(context: RowContext): Row[] {
  const byNumber = new Map<number, Instance[]>();
  for (const ref of indexOf(context.state.plan).refs) {
    const instance = { ref, cell: cellOf(context.state, ref), stage: stageOf(context.state, ref) };
    const known = byNumber.get(ref.leaf.number);
    if (known) known.push(instance);
    else byNumber.set(ref.leaf.number, [instance]);
  }
  return [...byNumber.values()].flatMap((instances) => {
    const [first] = instances;
    return first ? [rowOf(first.ref.leaf, instances, context)] : [];
  });
}

function rowOf(leaf: LeafStep, instances: readonly Instance[], context: RowContext): Row {
  const stage = wholeStage(instances);
  const fences = instances.filter(({ ref }) => isStandingFence(context.state, ref));
  const fence = fences.some(({ cell }) => cell.broken !== undefined)
    ? 'broken'
    : fences.length > 0
      ? 'standing'
      : undefined;
  const gates = instances.flatMap((instance) => gateOf(instance, context));
  const base = { stage, fence } as const;
  return {
    number: leaf.number,
    kind: leaf.kind,
    name: nameOf(leaf, instances),
    where: whereOf(instances),
    ...base,
    word: wordOf(leaf, instances, base),
    detail: safeText(detailOf(leaf, instances, { ...context, ...base })),
    timing: timingOf(instances, { ...context, ...base }),
    endedAtMs: latest(instances),
    gates,
  };
}

/** The worst, then the busiest: what a person must see of many hosts. */
function wholeStage(instances: readonly Instance[]): Row['stage'] {
  const stages = new Set(instances.map(({ stage }) => stage));
  for (const first of ['bad', 'active'] as const) if (stages.has(first)) return first;
  const [only] = stages;
  if (stages.size === 1 && only) return only;
  if (stages.has('to-undo')) return stages.has('undone') ? 'part' : 'to-undo';
  if (stages.has('undone')) return stages.has('ahead') ? 'ahead' : 'undone';
  return 'part';
}

/** `writers-stopped[2]` for the items of a forEach; batches of hosts are told by `where` and `k of n`. */
function nameOf(leaf: LeafStep, instances: readonly Instance[]): string {
  const items = new Set(instances.map(({ ref }) => itemsIn(ref.leaf.id)));
  return items.size > 1 ? `${writtenId(leaf.id)}[${items.size}]` : withItem(leaf.id);
}

function itemsIn(id: string): string {
  return (id.match(/\[[^\]]*\]/g) ?? []).filter((part) => !part.startsWith('[batch=')).join('');
}

function withItem(id: string): string {
  return id.replaceAll(/\[batch=\d+\]/g, '');
}

function whereOf(instances: readonly Instance[]): string {
  const hosts = [...new Set(instances.flatMap(({ ref }) => ref.host ?? []))];
  return hosts.length > 1 ? `${hosts.length} hosts` : (hosts[0] ?? '');
}

function wordOf(
  leaf: LeafStep,
  instances: readonly Instance[],
  { stage, fence }: Pick<Row, 'stage' | 'fence'>,
): string {
  switch (stage) {
    case 'bad':
      if (instances.some(({ cell }) => cell.phase === 'unknown')) return 'UNKNOWN';
      return fence === 'broken' ? 'BROKEN' : 'FAILED';
    case 'active':
      return activeWord(instances);
    case 'done':
      if (fence === 'standing') return 'FENCE ok';
      return instances.every(({ cell, ref }) => cell.phase === 'skipped' || ref.leaf.skip !== undefined)
        ? 'skipped'
        : 'done';
    case 'undone':
      return leaf.only === 'undo' ? 'passed' : 'undone';
    case 'to-undo':
      return leaf.only === 'undo' ? 'to pass' : 'to undo';
    case 'untouched':
      if (leaf.only === 'undo') return 'way back';
      return instances.every(({ cell }) => cell.phase === 'pending') ? 'not begun' : '-';
    case 'part':
      return `${instances.filter((i) => i.stage === 'done' || i.stage === 'undone').length} of ${instances.length}`;
    case 'ahead':
      return 'next';
  }
}

function activeWord(instances: readonly Instance[]): string {
  const { cell } = instances.find(({ stage }) => stage === 'active') ?? {};
  switch (cell?.work?.kind) {
    case 'gate':
      return 'WAITING';
    case 'approval':
      return 'APPROVAL';
    case 'manual':
      return 'BY HAND';
    case 'proof':
      return 'PROVING';
    case 'record':
      return 'MEASURING';
    case 'round':
      return 'GUARDS';
    default:
      return cell?.direction === 'undo' ? 'UNDOING' : 'RUNNING';
  }
}

type Whole = RowContext & Pick<Row, 'stage' | 'fence'>;

function detailOf(leaf: LeafStep, instances: readonly Instance[], whole: Whole): string {
  if (whole.stage === 'bad') return badDetail(instances);
  if (whole.stage === 'active') return activeDetail(leaf, instances, whole);
  if (whole.fence !== undefined) return fenceValues(instances, whole);
  switch (leaf.kind) {
    case 'action':
      return doesOf(instances, whole.stage === 'to-undo' || whole.stage === 'undone' ? 'undoes' : 'does');
    case 'manual':
      return leaf.do;
    case 'approval':
      return whole.stage === 'ahead' ? whoApproves(leaf.approve) : '';
    case 'pointOfNoReturn':
      return leaf.approve ? `${whoApproves(leaf.approve)}. ${leaf.statement}` : leaf.statement;
    default:
      return '';
  }
}

function badDetail(instances: readonly Instance[]): string {
  const { cell, ref } = instances.find(({ stage }) => stage === 'bad') ?? {};
  if (cell?.failure) return `${ref?.host ?? ''} [${cell.failure.code}] ${cell.failure.message}`.trim();
  return cell?.broken ?? '';
}

function activeDetail(leaf: LeafStep, instances: readonly Instance[], { runMs, state }: Whole): string {
  const active = instances.filter(({ stage }) => stage === 'active');
  const [first] = active;
  const work = first?.cell.work;
  if (first === undefined) return '';
  const over = instances.filter(({ stage }) => stage === 'done' || stage === 'undone').length;
  const share = instances.length > 1 ? `${over} of ${instances.length} over; ` : '';
  switch (work?.kind) {
    case 'gate':
      return share + gateClock(leaf, first, { runMs, state });
    case 'approval':
      return leaf.kind === 'approval' || leaf.kind === 'pointOfNoReturn'
        ? approvalsGiven(leaf.approve, first.cell)
        : '';
    case 'manual':
      return work.text;
    case 'proof':
      return `${work.guards.map((g) => `${g.resource} on ${g.host}`).join(', ')} must be proven stopped first`;
    case 'round':
      return 'asks every guard afresh';
    default:
      return share + doesOf(active, first.cell.direction === 'undo' ? 'undoes' : 'does');
  }
}

/** `1:58 of 10:00, then rollback` */
function gateClock(leaf: LeafStep, { cell }: Instance, { runMs, state }: Pick<RowContext, 'runMs' | 'state'>): string {
  const since = cell.startedRunMs ?? runMs;
  const due = gateDueMs(state, cell);
  const then = state.direction === 'undo' || leaf.kind !== 'gate' ? 'hold' : leaf.onTimeout;
  return due === undefined
    ? formatClock(runMs - since)
    : `${formatClock(runMs - since)} of ${formatClock(due - since)}, then ${then}`;
}

/** In run time. The operator's adjustment outranks what the plan says. */
function gateDueMs(state: RunState, { step, work, startedRunMs }: Cell): number | undefined {
  const adjusted = state.adjustments.get(step)?.timeoutMs;
  if (adjusted !== undefined && startedRunMs !== undefined) return startedRunMs + adjusted;
  return work?.kind === 'gate' ? work.deadlineRunMs : undefined;
}

export function whoApproves(rule: ApprovalRule | undefined): string {
  if (!rule) return '';
  const role = rule.role === undefined ? 'operator' : rule.role;
  const valid = rule.validForMs === undefined ? '' : `, valid ${formatDuration(rule.validForMs)}`;
  return `${rule.count} of ${role}${rule.notSubmitter ? ', not the one who started' : ''}${valid}`;
}

export function approvalsGiven(rule: ApprovalRule | undefined, cell: Cell): string {
  const names = cell.approvals.map((a) => a.by.name);
  const given = names.length === 0 ? '' : `: ${names.join(', ')}`;
  return `${names.length} of ${rule?.count ?? 1} given${given}; wants ${whoApproves(rule)}`;
}

function doesOf(instances: readonly Instance[], way: 'does' | 'undoes'): string {
  const said = instances.flatMap(({ ref }) => {
    const target = ref.leaf.kind === 'action' ? ref.leaf.targets.find((t) => t.host === ref.host) : undefined;
    return target?.[way] ?? [];
  });
  return [...new Set(said)].join('; ');
}

function fenceValues(instances: readonly Instance[], { live }: Whole): string {
  const [first] = instances;
  if (first?.ref.leaf.kind !== 'gate') return '';
  const keys = Object.keys(first.ref.leaf.targets[0]?.until ?? {});
  const newest = live.find((g) => g.step === first.ref.leaf.id && g.host === first.ref.host)?.samples.at(-1);
  return namedValues(keys, newest?.values ?? first.cell.values ?? {});
}

function timingOf(instances: readonly Instance[], { runMs, stage, fence }: Whole): string {
  if (fence === 'standing') {
    const since = Math.max(...instances.map(({ cell }) => cell.endedRunMs ?? runMs));
    return `since ${formatClock(runMs - since)}`;
  }
  if (stage === 'active') {
    const running = instances.find(({ cell, stage }) => stage === 'active' && cell.work?.kind === 'command');
    return running ? formatClock(runMs - (running.cell.startedRunMs ?? runMs)) : '';
  }
  if (stage !== 'done') return '';
  const measured = instances.flatMap(({ cell, ref }) => (ref.leaf.kind === 'action' ? (cell.durationMs ?? []) : []));
  return measured.length > 0 ? formatDuration(Math.max(...measured)) : '';
}

function latest(instances: readonly Instance[]): number | undefined {
  const ends = instances.flatMap(({ cell }) => cell.endedAtMs ?? []);
  return ends.length > 0 ? Math.max(...ends) : undefined;
}

function gateOf({ ref, cell, stage }: Instance, { state, runMs, live }: RowContext): GateModel[] {
  if (stage !== 'active' || ref.leaf.kind !== 'gate' || cell.work?.kind !== 'gate' || ref.host === null) return [];
  const due = gateDueMs(state, cell);
  return [
    {
      host: ref.host,
      until: { ...resolveCondition(state, cell.work.until), ...state.adjustments.get(cell.step)?.until },
      forMs: ref.leaf.once ? 0 : ref.leaf.forMs,
      leftMs: due === undefined ? undefined : Math.max(0, due - runMs),
      live: live.find((g) => g.step === cell.step && g.host === ref.host),
    },
  ];
}
