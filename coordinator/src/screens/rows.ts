import type { LeafStep } from '@signalbox/protocol';
import { cellOf, indexOf, resolveCondition, spokenId, writtenId } from '@signalbox/sequencer';
import { safeText } from '../cli/safe-text.ts';
import type { GateModel } from './gate-lines.ts';
import type { Instance, Row, RowContext } from './row.ts';
import { detailOf, gateDueMs, timingOf } from './row-details.ts';
import { brokenWord, isStandingFence, stageOf } from './stages.ts';

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
  return items.size > 1 ? `${writtenId(leaf.id)}[${items.size}]` : spokenId(leaf.id);
}

function itemsIn(id: string): string {
  return (id.match(/\[[^\]]*\]/g) ?? []).filter((part) => !part.startsWith('[batch=')).join('');
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
      return instances.flatMap(({ cell }) => brokenWord(cell) ?? []).sort()[0] ?? 'FAILED';
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
      return 'VOTING';
    default:
      return cell?.direction === 'undo' ? 'UNDOING' : 'RUNNING';
  }
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
