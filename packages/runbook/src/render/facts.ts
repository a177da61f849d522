import { formatDuration, isJsonObject, type Json, type Plan } from '@signalbox/protocol';
import { momentInWords, plural, walk, writtenId } from './words.ts';

export interface SecretUse {
  param: string;
  ref: string;
  hosts: string[];
}

/** Which secrets a plan refers to, and on which hosts they are read. Their values are never looked at. */
export function secretsOf(plan: Plan): SecretUse[] {
  return Object.entries(plan.params).flatMap(([param, value]) =>
    refsIn(value).map((ref) => ({ param, ref, hosts: hostsUsing(ref, plan) })),
  );
}

function refsIn(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(refsIn);
  if (!isJsonObject(value)) return [];
  return typeof value.$secret === 'string' ? [value.$secret] : Object.values(value).flatMap(refsIn);
}

function hostsUsing(ref: string, plan: Plan): string[] {
  const hosts = new Set<string>();
  walk(plan.steps, (step) => {
    if (!('targets' in step)) return;
    for (const target of step.targets) if (refsIn(target.with).includes(ref)) hosts.add(target.host);
  });
  return [...hosts];
}

/** `writes: from 8 writers-stopped to 16 first-write-seen (budget 10m)`. */
export function clocksOf(plan: Plan): string[] {
  const numbers = new Map<string, number>();
  walk(plan.steps, (s) => {
    const id = writtenId(s.id);
    if (!numbers.has(id)) numbers.set(id, s.number);
  });
  const named = (id: string) => `${numbers.get(id) ?? ''} ${id}`.trim();
  return plan.downtime.map(({ name, from, to, budgetMs, onBudget }) => {
    const budget = budgetMs === undefined ? '' : ` (budget ${formatDuration(budgetMs)}, then ${onBudget})`;
    return `${name} down from ${named(from)} to ${named(to)}${budget}`;
  });
}

/** `window: not before Sat 2026-11-21 01:00 UTC, not after ...; the way back is not bound by it`. */
export function windowOf({ window }: Plan): string[] {
  if (!window) return [];
  const begin = window.notBeforeMs === undefined ? [] : [`not before ${momentInWords(window.notBeforeMs)}`];
  const end = window.notAfterMs === undefined ? [] : [`not after ${momentInWords(window.notAfterMs)}, then held`];
  return [`window: steps begin ${[...begin, ...end].join(', ')}; the way back at any time`];
}

/** `findings: 0 errors, 1 warning`. */
export function findingsOf({ findings }: Plan): string {
  return `findings: ${plural(findings.errors, 'error')}, ${plural(findings.warnings, 'warning')}`;
}

export function rolesOf({ roles }: Plan): string[] {
  return Object.entries(roles).map(([role, hosts]) => `${role}: ${hosts.join(' ') || 'none'}`);
}
