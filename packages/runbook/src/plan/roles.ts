import type { Report, Span } from '../diagnostic.ts';
import type { Role, Runbook } from '../model.ts';
import { hintFor } from '../suggest.ts';
import type { HostForPlan, PlanInput } from './input.ts';

export interface Binding {
  role: Role;
  hosts: readonly HostForPlan[];
}

/** Binds roles to enrolled hosts: those with the labels, or those that the operator has chosen, less those left out. */
export function bindRoles(runbook: Runbook, input: PlanInput, report: Report): Map<string, Binding> {
  const top: Span = { file: runbook.file, line: 1, column: 1, length: 1 };
  const names = input.hosts.map((h) => h.name);
  for (const name of [...(input.without ?? []), ...Object.values(input.chosen ?? {}).flat()]) {
    if (!names.includes(name)) {
      report('SB234', top, { message: `\`${name}\` is not enrolled in this mesh.`, hint: hintFor(name, names) });
    }
  }
  for (const name of Object.keys(input.chosen ?? {})) {
    if (runbook.roles.has(name)) continue;
    report('SB234', top, { message: `There is no role \`${name}\`.`, hint: hintFor(name, runbook.roles.keys()) });
  }
  return new Map([...runbook.roles.values()].map((role) => [role.name, bindRole(role, input, report)]));
}

function bindRole(role: Role, { hosts, chosen, without = [] }: PlanInput, report: Report): Binding {
  const picked = chosen?.[role.name];
  const wanted = picked ? hosts.filter((h) => picked.includes(h.name)) : hosts.filter((h) => hasLabels(h, role.match));
  const enrolled = wanted.filter((h) => !without.includes(h.name)).sort((a, b) => byName(a.name, b.name));
  if (enrolled.length < role.min || enrolled.length > role.max) {
    const labels = Object.entries(role.match).map(([k, v]) => `${k}=${v}`);
    const found = enrolled.length === 0 ? 'none is enrolled' : `enrolled: ${enrolled.map((h) => h.name).join(', ')}`;
    const message = `\`${role.name}\` needs ${wantedCount(role)} with ${labels.join(' ') || 'any labels'}; ${found}.`;
    report('SB232', role.at, { message });
  }
  const present = role.offline === 'skip' ? enrolled.filter(isOnline) : enrolled;
  for (const host of present.filter((h) => !isOnline(h))) {
    report('SB233', role.at, { message: `\`${host.name}\` (role \`${role.name}\`) is ${stateInWords(host)}.` });
  }
  return { role, hosts: present };
}

export function hasLabels(host: HostForPlan, match: Record<string, string>): boolean {
  return Object.entries(match).every(([key, value]) => host.labels[key] === value);
}

/** A late host answers again in a moment or becomes silent; a plan may be made for it. */
function isOnline({ state }: HostForPlan): boolean {
  return state === 'online' || state === 'late';
}

function stateInWords({ state }: HostForPlan): string {
  return state === 'never' ? 'enrolled, and has never been heard of' : 'silent';
}

function wantedCount({ min, max }: Role): string {
  const hosts = (n: number) => `${n} host${n === 1 ? '' : 's'}`;
  if (min === max) return `exactly ${hosts(min)}`;
  return max === Number.POSITIVE_INFINITY ? `at least ${hosts(min)}` : `${min} to ${hosts(max)}`;
}

/** `miner-2` before `miner-10`: the order that an operator expects, also of batches. */
function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
