import { type ApprovalRule, formatClock, formatDuration, type LeafStep, type Work } from '@signalbox/protocol';
import type { Cell, RunState } from '@signalbox/sequencer';
import type { Instance, Row, RowContext } from './row.ts';
import { namedValues } from './values.ts';

/** A row's whole: what its instances came to together. */
type Whole = RowContext & Pick<Row, 'stage' | 'fence'>;

/** What a row says beside its name: what it does, what it waits for, what is wrong with it. */
export function detailOf(leaf: LeafStep, instances: readonly Instance[], whole: Whole): string {
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
      return votesGiven(work, state);
    default:
      return share + doesOf(active, first.cell.direction === 'undo' ? 'undoes' : 'does');
  }
}

/** `2 of 3 hosts have voted; waits for mirror-1` */
function votesGiven({ voters }: Extract<Work, { kind: 'round' }>, { votes }: RunState): string {
  const open = voters.flatMap(({ host }) => (votes.has(host) ? [] : host));
  return `${voters.length - open.length} of ${voters.length} hosts have voted; waits for ${open.join(', ')}`;
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
export function gateDueMs(state: RunState, { step, work, startedRunMs }: Cell): number | undefined {
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

/** At the right edge: how long it took, has run, or has stood. */
export function timingOf(instances: readonly Instance[], { runMs, stage, fence }: Whole): string {
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
