import type { Role, Runbook, Scope, Step } from './model.ts';
import { get, isFlagged, type MapNode, merge, textAt } from './node.ts';
import { GateKeys, type Kind } from './schema/step.ts';

const OVERRIDES = new Set([...Object.keys(GateKeys), 'with']);

/**
 * What a gate asks: the gate that stands in the step, or the named one, with what the step says beside it. Conditions and
 * parameters are merged key by key, so that a step can tighten one value of a named gate.
 */
export function gateBody(step: Step): MapNode {
  const written = get(step.node, 'gate');
  const named = written?.kind === 'scalar' ? step.scope.gates.get(written.text) : undefined;
  const base: MapNode = written?.kind === 'map' ? written : (named ?? { ...step.node, entries: new Map() });
  const beside = new Map([...step.node.entries].filter(([key]) => OVERRIDES.has(key)));
  return merge(base, { ...step.node, entries: beside }, ['until', 'failIf', 'with']);
}

/** What a record or gate samples, and with which parameters; undefined for other kinds. */
export function probeOf(step: Step): { name: string | undefined; body: MapNode } | undefined {
  if (step.kind === 'gate') {
    const body = gateBody(step);
    return { name: textAt(body, 'probe'), body };
  }
  if (step.kind !== 'record') return undefined;
  const written = get(step.node, 'record');
  const body = written?.kind === 'map' ? merge(written, step.node, ['with']) : step.node;
  return { name: written?.kind === 'scalar' ? written.text : textAt(written, 'probe'), body };
}

/** The role that a step runs on: its own word, then the named gate's, then that of the groups around it. */
export function roleName(step: Step): string | undefined {
  const own = textAt(step.node, 'hosts');
  if (own !== undefined) return own;
  const gate = step.kind === 'gate' ? textAt(gateBody(step), 'hosts') : undefined;
  return gate ?? (step.parent ? roleName(step.parent) : undefined);
}

export function roleOf(step: Step, runbook: Runbook): Role | undefined {
  const name = roleName(step);
  return name === undefined ? undefined : runbook.roles.get(name);
}

/** Whether a kind does its work on hosts. */
export function worksOnHosts(kind: Kind): boolean {
  return kind === 'do' || kind === 'gate' || kind === 'record';
}

export function isGroup(kind: Kind): boolean {
  return kind === 'steps' || kind === 'include';
}

/** The step itself, then the groups around it, innermost first. */
export function withAncestors(step: Step): Step[] {
  const chain: Step[] = [];
  for (let at: Step | undefined = step; at; at = at.parent) chain.push(at);
  return chain;
}

export function leavesOf(step: Step): Step[] {
  return isGroup(step.kind) ? step.children.flatMap(leavesOf) : [step];
}

export function allLeaves(runbook: Runbook): Step[] {
  return runbook.steps.flatMap(leavesOf);
}

export function forEachOf(step: Step): Step | undefined {
  return withAncestors(step).find((s) => s.node.entries.has('forEach'));
}

/** Looks for a step by the id that a scope gives to it, then outwards. */
export function findStep(runbook: Runbook, scope: Scope, id: string): Step | undefined {
  const found = runbook.byPath.get(`${scope.prefix}${id}`);
  return found ?? (scope.outer ? findStep(runbook, scope.outer.scope, id) : undefined);
}

/** Ids that may be named in a scope, for hints. */
export function idsIn(runbook: Runbook, scope: Scope): string[] {
  return [...runbook.byPath.keys()].filter((p) => p.startsWith(scope.prefix)).map((p) => p.slice(scope.prefix.length));
}

export function isParallel(step: Step): boolean {
  const said = get(step.node, 'parallel');
  return said?.kind === 'scalar' && said.value !== false && said.value !== 1;
}

/** Whether two steps may run at the same time: a parallel group lies between them. */
export function concurrent(a: Step, b: Step): boolean {
  const around = withAncestors(a);
  const shared = withAncestors(b).find((s) => around.includes(s));
  return (
    shared !== undefined && shared !== a && shared !== b && isParallel(shared) && !shared.node.entries.has('forEach')
  );
}

/** Surely done when `later` begins: before it in the file, not in a branch beside it, passed on the way forward. */
export function isBefore(earlier: Step, later: Step): boolean {
  return earlier.order < later.order && !concurrent(earlier, later) && !withAncestors(later).includes(earlier);
}

export function isOnlyUndo(step: Step): boolean {
  return withAncestors(step).some((s) => textAt(s.node, 'only') === 'undo');
}

export function lastPointOfNoReturn(runbook: Runbook): Step | undefined {
  return allLeaves(runbook).findLast((s) => s.kind === 'pointOfNoReturn');
}

/** Whether a step, or a group around it, is conditional. */
export function mayBeSkipped(step: Step): boolean {
  return withAncestors(step).some((s) => s.node.entries.has('when'));
}

/** What `check` says about a runbook that passes: `14 steps, 1 point of no return`. */
export function countSteps(runbook: Runbook): { steps: number; pointsOfNoReturn: number } {
  const leaves = allLeaves(runbook);
  return { steps: leaves.length, pointsOfNoReturn: leaves.filter((s) => s.kind === 'pointOfNoReturn').length };
}

/** Whether a group around it is a checklist. */
export function isInChecklist(step: Step): boolean {
  return withAncestors(step).some(({ node }) => isFlagged(get(node, 'checklist')));
}
