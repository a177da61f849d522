import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { actionByName, actions } from '@signalbox/actions';
import { policyForRole } from '@signalbox/agent';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { REPOSITORY } from '../lab/programs.ts';

const ROLES = [
  'node',
  'spare',
  'miner',
  'backend',
  'web',
  'old-edge',
  'new-edge',
  'mirror',
  'kube',
  'kafka-ops',
] as const;

const RUNBOOKS = ['r3mes', 'fast-data'].flatMap((folder) =>
  readdirSync(join(REPOSITORY, 'runbooks', folder))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => join(REPOSITORY, 'runbooks', folder, name)),
);

const allowed = (role: string | undefined): Set<string> => {
  const { allow } = z.object({ allow: z.object({ actions: z.array(z.string()) }) }).parse(parse(policyForRole(role)));
  const fits = (name: string) => (pattern: string) =>
    pattern === name || (pattern.endsWith('.*') && name.startsWith(pattern.slice(0, -1)));
  return new Set(actions.map(({ name }) => name).filter((name) => allow.actions.some(fits(name))));
};

const Runbook = z.object({
  spec: z.object({
    hosts: z.record(z.string(), z.object({ match: z.record(z.string(), z.string()).optional() })).default({}),
    steps: z.array(z.unknown()),
  }),
});

interface Use {
  readonly role: string;
  readonly action: string;
}

/** Every action of a runbook, with the label `role` of the hosts that it is done on; included parts with it. */
function usesOf(file: string, around?: string): Use[] {
  const { spec } = Runbook.parse(parse(readFileSync(file, 'utf8')));
  const visit = (part: unknown, role: string | undefined): Use[] => {
    if (Array.isArray(part)) return part.flatMap((inner) => visit(inner, role));
    if (typeof part !== 'object' || part === null) return [];
    const { hosts, do: action, include } = part as Record<string, unknown>;
    const own = typeof hosts === 'string' ? (spec.hosts[hosts]?.match?.role ?? role) : role;
    return [
      ...(typeof action === 'string' && own !== undefined ? [{ role: own, action }] : []),
      ...(typeof include === 'string' ? usesOf(join(dirname(file), include), own) : []),
      ...Object.values(part).flatMap((inner) => visit(inner, own)),
    ];
  };
  return visit(spec.steps, around);
}

describe('the policy that a host joins with', () => {
  it.each(ROLES)('has all that the runbooks do on a %s, and no program of anybody', (role) => {
    const uses = RUNBOOKS.flatMap((file) => usesOf(file)).filter((use) => use.role === role);
    if (role !== 'old-edge' && role !== 'new-edge') expect(uses.length).toBeGreaterThan(0);
    const may = allowed(role);
    const wanted = [...new Set(uses.map(({ action }) => action))];
    expect(wanted.filter((action) => actionByName.has(action) && !may.has(action))).toEqual([]);
    expect(may.has('exec.run')).toBe(false);
    expect(may.has('earlier.undo')).toBe(true);
  });

  it('is known for every role that the runbooks name', () => {
    const named = RUNBOOKS.flatMap((file) => usesOf(file));
    expect(
      [...new Set(named.map(({ role }) => role))].filter((role) => !ROLES.some((known) => known === role)),
    ).toEqual([]);
  });

  it.each([undefined, 'unheard-of', 'constructor'])('of role %s is to be looked at, and nothing else', (role) => {
    expect([...allowed(role)]).toEqual([]);
  });
});
