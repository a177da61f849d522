import {
  formatDuration,
  type GroupStep,
  type LeafStep,
  type Plan,
  type PlanStep,
  type PointOfNoReturnStep,
} from '@signalbox/protocol';
import { gateInWords, momentInWords, plural, walk, writtenId } from './words.ts';

/** One line of the table: a written step with all its instances, something about a group, or a point of no return. */
export type Row =
  | { kind: 'step'; number: number; step: string; where: string; does: string; undo: string }
  | { kind: 'note'; text: string }
  | { kind: 'crossing'; number: number; step: string; statement: string; needs: string };

/** The table of a plan, in the order of the file. Instances of one written step share a line. */
export function rowsOf(plan: Plan): Row[] {
  const instances = new Map<number, LeafStep[]>();
  walk(plan.steps, (step) => {
    if (step.kind !== 'group') instances.set(step.number, [...(instances.get(step.number) ?? []), step]);
  });
  const rows: Row[] = [];
  const done = new Set<string>();
  walk(plan.steps, (step) => {
    if (step.kind === 'group') {
      // Instances of a group say the same about it.
      const text = noteOf(step);
      if (text && !done.has(text)) rows.push({ kind: 'note', text });
      if (text) done.add(text);
    } else if (!done.has(String(step.number))) {
      done.add(String(step.number));
      rows.push(rowOf(step, { all: instances.get(step.number) ?? [step], plan }));
    }
  });
  return rows;
}

interface Around {
  all: readonly LeafStep[];
  plan: Plan;
}

function rowOf(step: LeafStep, { all, plan }: Around): Row {
  const name = writtenId(step.id);
  if (step.kind === 'pointOfNoReturn') {
    const { statement } = step;
    return { kind: 'crossing', number: step.number, step: name, statement, needs: needsOf(step, plan) };
  }
  const items = new Set(all.flatMap(({ id }) => id.slice(name.length).replace(/\[batch=\d+\]/, '') || []));
  const skipped = all.every((s) => s.skip !== undefined) ? `SKIPPED (${step.skip}): ` : '';
  const back = step.only ? 'on the way back: ' : '';
  return {
    kind: 'step',
    number: step.number,
    step: items.size > 0 ? `${name} [${items.size}]` : name,
    where: whereOf(all, plan),
    does: `${skipped}${back}${doesOf(all, plan)}${observedOf(all, plan)}`,
    undo: undoOf(all, plan),
  };
}

function whereOf(all: readonly LeafStep[], { roles }: Plan): string {
  const [first] = all;
  if (first?.kind === 'approval') return 'approval';
  if (first?.kind === 'manual') return 'by hand';
  const hosts = [...new Set(all.flatMap((s) => ('targets' in s ? s.targets.map((t) => t.host) : [])))];
  const role = Object.entries(roles).find(
    ([, names]) => names.length === hosts.length && hosts.every((h) => names.includes(h)),
  );
  if (hosts.length > 2) return role ? `${role[0]} (${hosts.length})` : plural(hosts.length, 'host');
  return hosts.join(', ') || '-';
}

function doesOf(all: readonly LeafStep[], plan: Plan): string {
  const [step] = all;
  switch (step?.kind) {
    case 'action':
      return few(all.flatMap((s) => (s.kind === 'action' ? s.targets.map((t) => t.does) : []))) || step.action;
    case 'gate':
      return few(
        all.flatMap((s) => (s.kind === 'gate' ? [gateInWords(s, s.fence && endOf(s.fence.until, plan))] : [])),
      );
    case 'record':
      return `record ${step.probe}`;
    case 'approval':
      return approvalInWords(step.approve, plan);
    case 'manual':
      return step.expectMs === undefined ? step.do : `${step.do} (~${formatDuration(step.expectMs)})`;
    default:
      return '';
  }
}

/** Different texts of instances and hosts, as many as one line bears. */
function few(texts: readonly string[]): string {
  const different = [...new Set(texts)];
  const more = different.length > 3 ? ` and ${different.length - 3} more` : '';
  return `${different.slice(0, 3).join('; ')}${more}`;
}

function endOf(id: string, plan: Plan): string {
  let number = 0;
  walk(plan.steps, (s) => {
    if (s.id === id) number = s.number;
  });
  return `${number} ${writtenId(id)}`;
}

function undoOf(all: readonly LeafStep[], plan: Plan): string {
  const [step] = all;
  if (step?.kind === 'manual' && step.changes === false) return '-';
  if (step?.kind === 'manual') return step.undo ?? (isSealed(step, plan) ? 'none' : 'none: held here');
  if (step?.kind !== 'action') return '-';
  if (step.effect === 'read') return '-';
  if (!step.reversible) return 'none';
  const undoes =
    few(all.flatMap((s) => (s.kind === 'action' ? s.targets.flatMap((t) => t.undoes ?? []) : []))) || 'yes';
  return step.leaves ? `${undoes}; LEAVES ${step.leaves}` : undoes;
}

/** Nothing after the last point of no return is ever undone. */
function isSealed({ number }: LeafStep, { steps }: Plan): boolean {
  const crossings: number[] = [];
  walk(steps, (s) => {
    if (s.kind === 'pointOfNoReturn') crossings.push(s.number);
  });
  return crossings.length > 0 && number > Math.max(...crossings);
}

function observedOf(all: readonly LeafStep[], { observed }: Plan): string {
  const notes = observed.flatMap((o) => (o.note && all.some((s) => s.id === o.step) ? [o.note] : []));
  return notes.length > 0 ? `   now ${few(notes)}` : '';
}

type Approval = NonNullable<PointOfNoReturnStep['approve']>;

function approvalInWords({ count, role, notSubmitter, validForMs, message }: Approval, { madeBy }: Plan): string {
  const who = `${count} of ${role ?? 'operator'}${notSubmitter ? `, not ${madeBy}` : ''}`;
  const valid = validForMs === undefined ? '' : `, valid ${formatDuration(validForMs)}`;
  return `${who}${valid}${message ? `: ${message}` : ''}`;
}

function needsOf({ approve, guards }: PointOfNoReturnStep, plan: Plan): string {
  const numbers = new Set<number>();
  walk(plan.steps, (s) => {
    if (guards.includes(s.id)) numbers.add(s.number);
  });
  const asked = numbers.size > 0 ? `guards ${[...numbers].join(' ')}` : 'no guards';
  const people = approve
    ? `${plural(approve.count, 'approver')}${approve.notSubmitter ? `, not ${plan.madeBy}` : ''}; `
    : '';
  return `${people}${asked}`;
}

function noteOf(group: GroupStep): string | undefined {
  const { mode, limit, maxFailures = 0, timing, children } = group;
  const said: string[] = [];
  if (mode === 'parallel') said.push(`${numbersIn(children)} at once${limit ? `, ${limit} at a time` : ''}`);
  if (mode === 'batches') {
    const sizes = children.map((child) => hostsIn(child));
    const dropped = maxFailures > 0 ? `; up to ${maxFailures} may fail, and are taken back and dropped` : '';
    said.push(`${numbersIn(children)} in batches of ${sizes.join(', ')}${dropped}`);
  }
  if (timing?.notBeforeMs !== undefined) said.push(`not before ${momentInWords(timing.notBeforeMs)}`);
  if (timing?.decideByMs !== undefined) {
    const then = timing.onDeadline === 'rollback' ? 'everything is taken back' : 'the run is held';
    said.push(`decided by ${momentInWords(timing.decideByMs)}, or ${then}`);
  }
  if (timing?.timeoutMs !== undefined) said.push(`at most ${formatDuration(timing.timeoutMs)}`);
  return said.length > 0 ? `${writtenId(group.id)}: ${said.join(', ')}` : undefined;
}

function numbersIn(steps: readonly PlanStep[]): string {
  const numbers: number[] = [];
  walk(steps, (s) => {
    if (s.kind !== 'group') numbers.push(s.number);
  });
  const [from, to] = [Math.min(...numbers), Math.max(...numbers)];
  return from === to ? String(from) : `${from}-${to}`;
}

function hostsIn(step: PlanStep): number {
  const hosts = new Set<string>();
  walk([step], (s) => {
    if ('targets' in s) for (const { host } of s.targets) hosts.add(host);
  });
  return hosts.size;
}
