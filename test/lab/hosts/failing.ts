import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { REPOSITORY } from '../programs.ts';
import type { Lab } from './lab.ts';
import { COORDINATOR_HOST } from './plan.ts';

const RUNBOOKS = join(REPOSITORY, 'runbooks', 'r3mes');

interface Step {
  id: string;
  hosts?: string;
  gate?: string | { hosts?: string };
  include?: string;
  steps?: Step[];
}
interface Spec {
  steps: Step[];
  gates?: Record<string, { hosts?: string }>;
}
interface File {
  spec: Spec;
}

/** What goes wrong: a program that fails on one host, and on all others does nothing. */
const failsOn = (host: string) => ({
  do: 'exec.run',
  with: { argv: ['grep', '--quiet', '--invert-match', '--line-regexp', host, '/etc/hostname'], effect: 'read' },
});

/**
 * A runbook of `runbooks/r3mes` with one more step, which fails on a host: right behind a step of it, so everything up to and
 * with that one has been done and is to be taken back.
 * @param path ids of the includes around the step and its own, as a run without batches and items names it.
 * @returns the files that are another text then, by their path in the folder. @throws Error when there is no such step.
 */
export function failingAfter(name: string, path: string, host: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const ids = path.split('/');
  let file = `${name}.yaml`;
  for (;;) {
    const content = read(file);
    const id = ids.shift() ?? '';
    const found = find(content.spec.steps, id);
    if (found === undefined) throw new Error(`${file} has no step ${id}`);
    const { step, among } = found;
    if (ids.length === 0) {
      among.splice(among.indexOf(step) + 1, 0, { id: 'it-fails', ...hostsOf(content.spec, step), ...failsOn(host) });
      return files.set(file, stringify(content));
    }
    files.set(file, stringify(content));
    if (step.include === undefined) throw new Error(`${id} in ${file} includes nothing`);
    file = step.include;
  }
}

/** The same, put beside everything that it includes. @returns where it lies on the coordinator's host. */
export function putFailing(lab: Lab, { name, step, host }: { name: string; step: string; host: string }): string {
  const folder = '/root/failing';
  const coordinator = lab.host(COORDINATOR_HOST);
  cpSync(join(RUNBOOKS, 'parts'), join(coordinator.root, folder, 'parts'), { recursive: true });
  for (const [file, text] of failingAfter(name, step, host)) coordinator.put(join(folder, file), text);
  return join(folder, `${name}.yaml`);
}

const read = (file: string) => parse(readFileSync(join(RUNBOOKS, file), 'utf8')) as File;

function find(among: Step[], id: string): { step: Step; among: Step[] } | undefined {
  for (const step of among) {
    const found = step.id === id ? { step, among } : find(step.steps ?? [], id);
    if (found) return found;
  }
  return undefined;
}

/** Steps in a group inherit theirs. */
function hostsOf({ gates = {} }: Spec, { hosts, gate }: Step): { hosts?: string } {
  const declared = typeof gate === 'string' ? gates[gate] : gate;
  const role = hosts ?? declared?.hosts;
  return role === undefined ? {} : { hosts: role };
}
