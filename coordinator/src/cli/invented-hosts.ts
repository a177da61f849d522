import { type Catalogue, isJsonObject, type Json, type JsonObject } from '@signalbox/protocol';
import type { HostForPlan, Runbook } from '@signalbox/runbook';

/** Of a role that takes any number: so many show what batches do. */
const ENOUGH = 3;

export interface Invention {
  readonly chosen: Readonly<Record<string, readonly string[]>>;
  readonly catalogue: Catalogue;
}

/**
 * Hosts that a runbook could run on: as many as each role wants, with the labels and facts that are asked of them. For
 * thinking about a runbook where no mesh is.
 */
export function inventHosts(runbook: Runbook, { chosen, catalogue }: Invention): HostForPlan[] {
  const text = [...runbook.sources.values()].join('\n');
  const labels = Object.fromEntries(namesIn(text, 'labels').map((name) => [name, `/simulated/${name}`]));
  const facts = namesIn(text, 'facts').reduce(withFact, {});
  const actions = catalogue.actions.map(({ name, version }) => `${name}@${version}`);
  const probes = catalogue.probes.map(({ name, version }) => `${name}@${version}`);
  const hosts = new Map<string, HostForPlan>();
  for (const { name: role, match, min, max } of runbook.roles.values()) {
    const isTaken = [...hosts.values()].some((host) => Object.entries(match).every(([k, v]) => host.labels[k] === v));
    if (isTaken && chosen[role] === undefined) continue;
    const count = Math.min(max, Math.max(min, ENOUGH));
    const names = chosen[role] ?? Array.from({ length: count }, (_, i) => (max === 1 ? role : `${role}-${i + 1}`));
    for (const name of names) {
      const own = { ...hosts.get(name)?.labels, ...labels, ...match };
      const pins = { journal: `journal-${name}`, machine: `machine-${name}`, key: `key-${name}` };
      hosts.set(name, { name, labels: own, ...pins, state: 'online', actions, probes, facts });
    }
  }
  return [...hosts.values()];
}

/** `${host.labels.venv}` -> `venv` */
function namesIn(text: string, of: 'labels' | 'facts'): string[] {
  return [...text.matchAll(/host\.(labels|facts)\.([A-Za-z0-9_.-]+)/g)].flatMap(([, kind, name]) =>
    kind === of && name !== undefined ? [name] : [],
  );
}

function withFact(facts: Record<string, Json>, path: string): Record<string, Json> {
  const [first = '', ...rest] = path.split('.');
  const inner = facts[first];
  const known: JsonObject = isJsonObject(inner) ? inner : {};
  return { ...facts, [first]: rest.length === 0 ? 'simulated' : withFact(known, rest.join('.')) };
}
