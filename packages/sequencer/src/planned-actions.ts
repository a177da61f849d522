import type { ActionStep, Direction, Plan, PlannedAction, Source } from '@signalbox/protocol';
import { neededApprovals } from './agreed.ts';
import { type CellRef, indexOf, inputOf, sourcesOf } from './tree.ts';
import { crossedFor } from './voters.ts';

/**
 * All that a plan has hosts do, one text for each step on each host, in plan order. Whoever signs the plan signs these;
 * a host that is shown its own needs nothing else of the plan. By cell; the same plan always gives the same texts.
 */
export function plannedActions(plan: Plan): ReadonlyMap<string, string> {
  const behind = pointsBefore(plan);
  const texts = new Map<string, string>();
  for (const ref of indexOf(plan).refs) {
    if (ref.leaf.kind === 'action' && ref.host !== null && !ref.left)
      texts.set(ref.key, JSON.stringify(planned(plan, ref, { leaf: ref.leaf, behind: behind.get(ref.key) })));
  }
  return texts;
}

function planned(
  plan: Plan,
  ref: CellRef,
  { leaf, behind }: { leaf: ActionStep; behind: string | undefined },
): PlannedAction {
  const { host, onlyUndo } = ref;
  const on = plan.hosts.find(({ name }) => name === host);
  const input = inputOf(ref);
  const sources = sourcesIn(plan, input);
  const approvals = neededApprovals(plan, ref);
  const directions: Direction[] = leaf.reversible && !onlyUndo ? ['do', 'undo'] : ['do'];
  return {
    step: leaf.id,
    host: host ?? '',
    journal: on?.journal ?? '',
    machine: on?.machine ?? '',
    action: leaf.action,
    version: leaf.version,
    with: input,
    directions,
    ...(behind === undefined ? {} : { behind }),
    ...(sources.length > 0 ? { sources } : {}),
    ...(approvals.length > 0 ? { approvals } : {}),
    ...(onlyUndo ? { only: 'undo' } : {}),
  };
}

/** By cell: the point of no return that its command has to carry the votes of. */
function pointsBefore(plan: Plan): Map<string, string> {
  const points = indexOf(plan).refs.filter(({ leaf, left }) => leaf.kind === 'pointOfNoReturn' && !left);
  return new Map(points.flatMap((point) => crossedFor(plan, point).map(({ key }) => [key, point.leaf.id] as const)));
}

function sourcesIn(plan: Plan, input: PlannedAction['with']): Source[] {
  return [...sourcesOf(plan, input)].flatMap((cell) => {
    const ref = indexOf(plan).byKey.get(cell);
    const key = plan.hosts.find(({ name }) => name === ref?.host)?.key;
    if (!ref || ref.host === null || key === undefined) return [];
    const { leaf, host } = ref;
    const sample =
      leaf.kind === 'gate' || leaf.kind === 'record' ? { probe: leaf.probe, with: inputOf(ref) } : undefined;
    return { step: leaf.id, host, key, ...(sample ? { sample } : {}) };
  });
}
