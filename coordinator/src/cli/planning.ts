import { dirname, relative, resolve } from 'node:path';
import { type Catalogue, type HostRecord, hostState, type Plan, type RunbookFile } from '@signalbox/protocol';
import { sha256 } from '@signalbox/protocol/crypto';
import {
  type Diagnostic,
  type HostForPlan,
  makePlan,
  type ParamValues,
  readParamFile,
  withParams,
} from '@signalbox/runbook';
import { pairOf, pairsOf } from './arguments.ts';
import type { Cli } from './cli.ts';
import type { MeshClient } from './client.ts';
import { cliError } from './codes.ts';
import { readText } from './files.ts';
import { lookAtHosts, type Problem } from './live-look.ts';
import { builtIn, type CheckedRunbook, checkFile, showFindings } from './runbook-file.ts';

/** What an operator says about a plan on the command line. */
export interface PlanWishes {
  readonly params?: string;
  readonly param?: readonly string[];
  readonly hosts?: readonly string[];
  readonly without?: readonly string[];
  readonly onFailure?: 'rollback' | 'hold';
}

export interface MadePlan {
  readonly plan: Plan;
  /** The exact bytes that are reviewed, hashed and started. */
  readonly text: string;
  readonly hash: string;
  readonly findings: readonly Diagnostic[];
  /** What the hosts themselves say against it, now. */
  readonly problems: readonly Problem[];
}

/**
 * Resolves a runbook against parameters and enrolled hosts, then looks at each host: what the plan will find there is
 * part of it, and `start` compares.
 * @throws SB-CLI-FINDINGS when the runbook does not pass.
 */
export async function planFile(cli: Cli, client: MeshClient, file: string, wishes: PlanWishes): Promise<MadePlan> {
  const { hosts, nowMs } = await client.ask('hosts', {});
  const known = hosts.map((host) => hostForPlan(host, nowMs));
  const { mesh, operator: madeBy } = client;
  const checked = checkFile(cli, file);
  const { plan: made, findings } = resolveFile(cli, checked, { ...wishes, mesh, madeBy, nowMs, known });
  const { observed, problems } = await lookAtHosts(client, made);
  const warnings = findings.filter((d) => d.severity === 'warning').length;
  const sources = sourcesOf(checked, cli.io.cwd);
  const plan: Plan = { ...made, observed, findings: { errors: problems.length, warnings }, sources };
  const text = `${JSON.stringify(plan, null, 2)}\n`;
  return { plan, text, hash: sha256(text), findings, problems };
}

/** The runbook, and what it includes, by their places beside it: where its folder is on this machine is nobody's business. */
function sourcesOf({ file, text, runbook }: CheckedRunbook, cwd: string): RunbookFile[] {
  const texts = new Map([[file, text], ...(runbook?.sources ?? [])]);
  const folder = resolve(cwd, dirname(file));
  return [...texts].map(([name, text]) => ({ name: relative(folder, resolve(cwd, name)), text }));
}

/** What a plan is made of besides the runbook. */
export interface Known extends PlanWishes {
  readonly mesh: string;
  readonly madeBy: string;
  readonly nowMs: number;
  readonly known: readonly HostForPlan[];
  readonly catalogue?: Catalogue;
}

/** A plan from a runbook and what is known of hosts; nobody has looked at them. @throws SB-CLI-FINDINGS */
export function resolveFile(
  cli: Cli,
  checked: CheckedRunbook,
  { mesh, madeBy, nowMs, known, catalogue = builtIn, ...wishes }: Known,
): { plan: Plan; findings: Diagnostic[] } {
  const { file } = checked;
  showFindings(
    cli,
    checked,
    checked.diagnostics.filter((d) => d.severity === 'error'),
  );
  if (!checked.runbook) throw cliError('SB-CLI-FINDINGS', `${file} is no runbook`);
  const made = makePlan(checked.runbook, {
    mesh,
    params: paramsOf(cli, wishes),
    hosts: [...known],
    chosen: chosenOf(wishes.hosts),
    without: [...(wishes.without ?? [])],
    catalogue,
    madeBy,
    nowMs,
    sha256: sha256(checked.text),
    ...(wishes.onFailure ? { onFailure: wishes.onFailure } : {}),
  });
  const findings = merged(checked.diagnostics, made.diagnostics);
  showFindings(cli, checked, findings);
  if (!made.plan) throw cliError('SB-CLI-FINDINGS', `${file} gives no plan`);
  return { plan: made.plan, findings };
}

function merged(first: readonly Diagnostic[], second: readonly Diagnostic[]): Diagnostic[] {
  const keyOf = (d: Diagnostic) => `${d.code} ${d.file}:${d.line}:${d.column} ${d.message}`;
  return [...new Map([...first, ...second].map((d) => [keyOf(d), d])).values()];
}

/** @throws SB-CLI-FILE, SB-CLI-FINDINGS, SB-CLI-USAGE */
function paramsOf(cli: Cli, { params, param }: PlanWishes): ParamValues {
  const given = pairsOf(param, '-p');
  if (params === undefined) return withParams(undefined, given);
  const text = readText(resolve(cli.io.cwd, params));
  const read = readParamFile(text, { file: params });
  showFindings(cli, { file: params, text, runbook: undefined, diagnostics: read.diagnostics }, read.diagnostics);
  return withParams(read.params, given);
}

/** `miners=miner-1,miner-2` */
export function chosenOf(hosts: readonly string[] | undefined): Record<string, string[]> {
  return Object.fromEntries(
    (hosts ?? []).map((text) => {
      const [role, names] = pairOf(text, '--hosts');
      return [role, names.split(',').filter((name) => name !== '')];
    }),
  );
}

export function hostForPlan({ name, labels, key, health, seenAtMs }: HostRecord, nowMs: number): HostForPlan {
  return {
    name,
    labels,
    key,
    journal: health?.journal ?? '',
    machine: health?.machine ?? '',
    state: hostState(seenAtMs === undefined ? undefined : Math.max(0, nowMs - seenAtMs)),
    actions: health?.actions ?? [],
    probes: health?.probes ?? [],
    ...(health ? { facts: health.facts } : {}),
  };
}
