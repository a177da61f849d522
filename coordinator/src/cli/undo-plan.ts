import type {
  ActionStep,
  ActionTarget,
  ApprovalStep,
  GateStep,
  HostRecord,
  LeafStep,
  ManualStep,
  Plan,
} from '@signalbox/protocol';
import {
  approvalRule,
  type CellRef,
  cellKey,
  indexOf,
  isEnded,
  type RunState,
  resolveCondition,
  resolveObject,
  spokenId,
} from '@signalbox/sequencer';

export interface UndoWishes {
  readonly run: string;
  readonly hosts: readonly HostRecord[];
  readonly madeBy: string;
  readonly nowMs: number;
  readonly acceptLoss: boolean;
  readonly sha256: string;
}

/** What undoes a run that is over, as a plan of its own; or why there is none, every reason at once. */
export type Undoing = { plan: Plan; refusals?: never } | { plan?: never; refusals: string[] };

/**
 * Each step that the earlier run has applied becomes a step that takes it back from its receipt, in reverse order, behind the
 * approvals that the earlier plan wanted; gates of its way back stand where they stood. Nothing in it is taken back a second
 * time: what fails is held.
 */
export function undoPlan(state: RunState, wishes: UndoWishes): Undoing {
  const { plan } = state;
  const refs = [...new Map(indexOf(plan).refs.map((ref) => [ref.leaf, ref])).values()].filter(({ left }) => !left);
  const leaves = refs.map(({ leaf }) => leaf);
  const refusals = refusalsOf(state, leaves, wishes);
  if (refusals.length > 0) return { refusals };
  const back = refs.toReversed().flatMap((ref) => stepFor(state, ref, wishes));
  // Before anything is taken back there is nothing that a gate could prove.
  const steps = [...approvals(leaves, wishes), ...back.slice(back.findIndex(({ kind }) => kind !== 'gate'))];
  const used = new Set(steps.flatMap((step) => ('targets' in step ? step.targets.map(({ host }) => host) : [])));
  for (const step of steps) {
    if (step.kind !== 'action') continue;
    for (const { exclusive } of step.targets)
      for (const guard of exclusive) for (const host of guard.hosts) used.add(host);
  }
  return {
    plan: {
      signalboxPlan: 1,
      mesh: plan.mesh,
      runbook: {
        name: `undo-${plan.runbook.name}`,
        summary: `Takes back ${wishes.run}: ${plan.runbook.summary}`,
        sha256: wishes.sha256,
      },
      madeAtMs: wishes.nowMs,
      madeBy: wishes.madeBy,
      params: { run: wishes.run },
      hosts: plan.hosts.filter(({ name }) => used.has(name)),
      roles: plan.roles,
      onFailure: 'hold',
      downtime: [],
      steps: steps.map((step, index) => ({ ...step, number: index + 1 })),
      observed: [],
      findings: { errors: 0, warnings: 0 },
    },
  };
}

/**
 * As many people as the earlier plan wanted at its strictest point, of each role that it named; one of any where it wanted none.
 * How long their word is good is not taken over: the steps behind it are begun at once, and together may last longer.
 */
function approvals(leaves: readonly LeafStep[], { run }: UndoWishes): ApprovalStep[] {
  const rules = leaves.flatMap((leaf) => approvalRule(leaf) ?? []);
  const rule = {
    count: Math.max(1, ...rules.map(({ count }) => count)),
    notSubmitter: rules.some(({ notSubmitter }) => notSubmitter),
    message: `Take ${run} back.`,
  };
  const step = { kind: 'approval', id: 'undo-approved', number: 1, line: 1 } as const;
  const [role, ...others] = new Set(rules.flatMap((one) => one.role ?? []));
  if (role === undefined) return [{ ...step, approve: rule }];
  return [
    { ...step, approve: { ...rule, role } },
    ...others.map((other) => ({ ...step, id: `${step.id}-${other}`, approve: { ...rule, role: other } })),
  ];
}

function refusalsOf(state: RunState, leaves: readonly LeafStep[], { run, hosts }: UndoWishes): string[] {
  const refusals: string[] = [];
  if (!isEnded(state))
    refusals.push(`${run} is not over: \`signalbox abort ${run} --undo\` takes it back while it runs`);
  if (state.status === 'rolled-back') refusals.push(`${run} was taken back already`);
  if (state.crossed.length > 0)
    refusals.push(`${run} has crossed ${state.crossed.join(', ')}: there is no way back from there`);
  for (const leaf of leaves) {
    if (leaf.kind !== 'action' || appliedOn(state, leaf).length === 0) continue;
    if (!leaf.reversible && leaf.effect !== 'read')
      refusals.push(`${spokenId(leaf.id)} (${leaf.action}) has no way back`);
    for (const { host } of appliedOn(state, leaf)) {
      const pinned = state.plan.hosts.find(({ name }) => name === host);
      const known = hosts.find(({ name }) => name === host);
      const same = pinned?.key === known?.key && pinned?.journal === known?.health?.journal;
      if (!same)
        refusals.push(`${host} is not the host that it was, or does not answer: its receipts say nothing of it`);
    }
  }
  const any = leaves.some((leaf) => leaf.kind === 'action' && appliedOn(state, leaf).length > 0);
  if (refusals.length === 0 && !any) refusals.push(`nothing that ${run} did is left to take back`);
  return [...new Set(refusals)];
}

/** Targets on which a step was done, and not taken back since. */
function appliedOn(state: RunState, leaf: ActionStep): ActionTarget[] {
  return leaf.targets.filter(({ host }) => cellOf(state, leaf, host)?.applied === true);
}

function cellOf(state: RunState, leaf: LeafStep, host: string | null) {
  return state.cells.get(cellKey(leaf.id, host));
}

function stepFor(state: RunState, { leaf, onlyUndo }: CellRef, wishes: UndoWishes): LeafStep[] {
  if (leaf.kind === 'action') return undoStep(state, leaf, wishes);
  if (leaf.kind === 'gate' && onlyUndo) return [gateStep(state, leaf)];
  if (leaf.kind === 'manual' && cellOf(state, leaf, null)?.phase === 'succeeded') return manualStep(leaf);
  return [];
}

function undoStep(state: RunState, leaf: ActionStep, { acceptLoss }: UndoWishes): LeafStep[] {
  const applied = appliedOn(state, leaf);
  if (applied.length === 0 || leaf.effect === 'read') return [];
  const targets = applied.map((target): ActionTarget => {
    const cell = cellOf(state, leaf, target.host);
    const earlier = resolveObject(state, target.with);
    return {
      host: target.host,
      with: {
        action: leaf.action,
        version: leaf.version,
        with: earlier,
        receipt: { ...cell?.before, ...cell?.receipt },
        acceptLoss,
      },
      does: target.undoes ?? `take back ${leaf.action}`,
      touches: target.touches,
      // What came up on the way back of the earlier run comes up on the way forward of this one.
      exclusive: target.exclusive
        .filter(({ direction }) => direction === 'undo')
        .map((guard) => ({ ...guard, direction: 'do' as const })),
    };
  });
  const { id, number, line, timeoutMs } = leaf;
  const once = { attempts: 1, backoffMs: 0, retryOn: [] };
  const fixed = {
    kind: 'action',
    action: 'earlier.undo',
    version: 1,
    effect: 'irreversible',
    reversible: false,
  } as const;
  return [{ ...fixed, id, number, line, timeoutMs, retry: once, targets }];
}

/** Of hosts that are alike, such as miners, those that the earlier run has come to. */
function gateStep(state: RunState, { only: _only, ...leaf }: GateStep): GateStep {
  const reached = leaf.targets.filter(({ host }) => isTouched(state, host));
  const targets = (reached.length > 0 ? reached : leaf.targets).map((target) => ({
    ...target,
    with: resolveObject(state, target.with),
    until: resolveCondition(state, target.until),
    ...(target.failIf && { failIf: resolveCondition(state, target.failIf) }),
  }));
  return { ...leaf, targets, onTimeout: 'hold' };
}

function isTouched(state: RunState, host: string): boolean {
  return indexOf(state.plan).refs.some((ref) => ref.host === host && state.cells.get(ref.key)?.applied === true);
}

/** A person's step without a way back is a person's to think about as well. */
function manualStep({ undo, ...leaf }: ManualStep): ManualStep[] {
  if (leaf.changes === false) return [];
  return [{ ...leaf, do: undo ?? `No way back is stated for: ${leaf.do}` }];
}
