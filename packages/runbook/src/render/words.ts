import { type Condition, formatDuration, type GateStep, type Json, type PlanStep } from '@signalbox/protocol';
import { shown } from '../plan/fields.ts';

/** `lagSeconds <= 10, stage = oplog sync`: a condition as one reads it aloud. */
export function conditionInWords(condition: Condition): string {
  return Object.entries(condition)
    .flatMap(([key, operators]) => Object.entries(operators).map(([op, want]) => part(key, op, want ?? null)))
    .join(', ');
}

function part(key: string, op: string, want: Json): string {
  const value = shown(want) ?? '';
  switch (op) {
    case 'equals':
      return `${key} = ${value}`;
    case 'in':
      return `${key} in ${Array.isArray(want) ? want.map((v) => shown(v)).join('|') : value}`;
    case 'atMost':
      return `${key} <= ${value}`;
    case 'atLeast':
      return `${key} >= ${value}`;
    default:
      return want === true || want === 'true' ? `${key} ${op}` : `${key} not ${op}`;
  }
}

/** What a gate waits for, and how long. `endsAt`: the step at whose start a fence is no longer watched. */
export function gateInWords(gate: GateStep, endsAt: string | undefined): string {
  const [first] = gate.targets;
  const condition = first ? conditionInWords(first.until) : gate.probe;
  const held = gate.once || gate.forMs === 0 ? '' : ` for ${formatDuration(gate.forMs)}`;
  const limit = gate.once ? '' : `, up to ${formatDuration(gate.timeoutMs)}`;
  // On the way back every timeout holds.
  const then = gate.onTimeout === 'rollback' && !gate.only ? ', else taken back' : '';
  if (endsAt !== undefined) return `fence until ${endsAt}: ${condition}${held}`;
  return `gate ${condition}${held}${limit}${then}`;
}

/** The id as written: without the items and batches that tell its instances apart. */
export function writtenId(id: string): string {
  return id.replace(/\[.*$/s, '');
}

export function plural(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `Sat 2026-11-21 01:00 UTC`: a plan is read in more than one place, so the zone is always the same and always there. */
export function momentInWords(ms: number): string {
  const date = new Date(ms);
  return `${DAYS[date.getUTCDay()]} ${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export function walk(steps: readonly PlanStep[], visit: (step: PlanStep) => void): void {
  for (const step of steps) {
    visit(step);
    if (step.kind === 'group') walk(step.children, visit);
  }
}
