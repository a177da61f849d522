import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Catalogue, SignalboxError } from '@signalbox/protocol';
import type { HostForPlan } from '@signalbox/runbook';
import { execa } from 'execa';
import { SIMULATOR_PROGRAMS } from '../../program-files.ts';
import type { Cli } from '../cli.ts';
import { cliError } from '../codes.ts';
import { isAway } from '../errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readText } from '../files.ts';
import { inventHosts } from '../invented-hosts.ts';
import { chosenOf, hostForPlan, type PlanWishes, resolveFile } from '../planning.ts';
import { builtIn, type CheckedRunbook, checkFile } from '../runbook-file.ts';

export interface SimulateOptions extends PlanWishes {
  readonly seeds: string;
  readonly from: string;
  readonly seed?: string;
  readonly catalogue?: string;
}

/** `signalbox simulate FILE`: what happens to a runbook on bad days. Hosts are at most asked for by name, never touched. */
export async function simulate(cli: Cli, file: string, options: SimulateOptions): Promise<ExitCode> {
  const { seeds, from, seed, catalogue: catalogueFile, ...wishes } = options;
  const numbers = { seeds, from, ...(seed === undefined ? {} : { seed }) };
  for (const [name, text] of Object.entries(numbers)) mustBeWhole(name, text);
  const program = SIMULATOR_PROGRAMS.find((path) => existsSync(path));
  if (program === undefined) throw cliError('SB-CLI-SIMULATOR', 'the simulator is not installed');
  const catalogue = catalogueFile === undefined ? builtIn : withMore(cli, catalogueFile);
  const checked = checkFile(cli, file, catalogue);
  const hosts = await hostsOf(cli, checked, { wishes, catalogue });
  const { plan } = resolveFile(cli, checked, { ...wishes, ...hosts, nowMs: cli.io.nowMs(), catalogue });
  if (!cli.json && seed === undefined)
    cli.print(`hosts: ${hosts.known.map(({ name }) => name).join(', ')} (${hosts.from})`);
  const args = Object.entries(numbers).flatMap(([name, text]) => [`--${name}`, text]);
  const result = await execa(process.execPath, [program, ...args, 'runbook', ...(cli.json ? ['--json'] : [])], {
    input: JSON.stringify({ plan, catalogue }),
    reject: false,
    maxBuffer: Number.MAX_SAFE_INTEGER,
  });
  if (result.stdout === '')
    throw cliError('SB-CLI-SIMULATOR', `the simulator said nothing: ${result.stderr.slice(0, 500)}`);
  if (cli.json) cli.io.out(`${result.stdout}\n`);
  else cli.print(...result.stdout.split('\n'));
  return result.exitCode === 0 ? EXIT.done : EXIT.failed;
}

interface KnownHosts {
  readonly mesh: string;
  readonly madeBy: string;
  readonly known: readonly HostForPlan[];
  /** For the person who reads it. */
  readonly from: string;
}

/** Those of the mesh; where none is, invented ones: a runbook can be thought about before there is anything to run it on. */
async function hostsOf(
  cli: Cli,
  { runbook }: CheckedRunbook,
  { wishes, catalogue }: { wishes: PlanWishes; catalogue: Catalogue },
): Promise<KnownHosts> {
  try {
    const client = await cli.mesh();
    const { hosts, nowMs } = await client.ask('hosts', {});
    const { mesh, operator: madeBy } = client;
    return { mesh, madeBy, known: hosts.map((host) => hostForPlan(host, nowMs)), from: `of mesh ${mesh}` };
  } catch (error) {
    if (!isAway(error) && !(error instanceof SignalboxError && error.code === 'SB-CLI-NO-SETTINGS')) throw error;
    const known = runbook ? inventHosts(runbook, { chosen: chosenOf(wishes.hosts), catalogue }) : [];
    return { mesh: 'simulated', madeBy: 'simulated', known, from: 'invented: no mesh answers' };
  }
}

/** What a mesh of newer or other agents can do besides. @throws SB-CLI-FILE */
function withMore(cli: Cli, file: string): Catalogue {
  const text = readText(resolve(cli.io.cwd, file));
  const parsed = Catalogue.safeParse(jsonOf(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw cliError('SB-CLI-FILE', `${file} is no catalogue: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  const { actions, probes } = parsed.data;
  const named = new Set([...actions, ...probes].map(({ name }) => name));
  return {
    actions: [...builtIn.actions.filter(({ name }) => !named.has(name)), ...actions],
    probes: [...builtIn.probes.filter(({ name }) => !named.has(name)), ...probes],
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function mustBeWhole(name: string, text: string): void {
  if (!/^\d{1,9}$/.test(text)) throw cliError('SB-CLI-USAGE', `--${name} wants a whole number, not ${text}`);
}
