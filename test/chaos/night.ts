import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Plan } from '@signalbox/protocol';
import type { Point } from '@signalbox/protocol/points';
import { until } from '@signalbox/protocol/testing';
import { indexOf } from '@signalbox/sequencer';
import { sayTo } from '../lab/child.ts';
import type { Janitor } from '../lab/janitor.ts';
import { ProcessMesh } from '../lab/mesh.ts';
import { Operator } from '../lab/operator.ts';
import { type Launch, PROGRAMS, REPOSITORY } from '../lab/programs.ts';
import { judge, type RunRecord, twins } from './checks.ts';
import { openDial } from './dial.ts';
import { type Figures, isKill } from './figures.ts';
import { Kept } from './kept.ts';
import { KINDS, type Kind, runbookOf } from './runbooks.ts';
import { Striker, type Struck, type Struckable } from './striker.ts';
import { type Strike, strikesOf } from './strikes.ts';
import { Traffic } from './traffic.ts';
import { TRAP_VARIABLE, Traps } from './traps.ts';
import { WorkHost } from './work.ts';
import { Cable, SmallDisk } from './yard.ts';

const MESH = 'chaos';
const NATS = 'nats';
const COORDINATOR = 'coordinator';
const STANDBY = 'coordinator-2';
const COORDINATORS = [COORDINATOR, STANDBY];
const FIRST = 'a-1';
const SMALL = 'a-2';
const REMOTE = 'a-3';
const HOSTS = [FIRST, SMALL, REMOTE];
const TRAP = join(REPOSITORY, 'test', 'dist', 'chaos', 'trap.js');
/** Some stops are longer, so that a coordinator wakes up when another one leads. */
const LEASE_SECONDS = 2;
/** Reserved by streams, whatever the disk has. */
const STORAGE_BYTES = 1024 ** 3;
/** After the last strike: longer than any command can be waited for. */
const REST_MS = 150_000;
const SAY_MS = 20_000;

export interface NightOptions {
  readonly dir: string;
  readonly seed: number;
  readonly kills: number;
  /** In namespaces of its own, where disks may be filled and links cut. */
  readonly isolated: boolean;
  /** NATS on a small disk, too. */
  readonly smallNats: boolean;
  /** Kills at these points and nothing else. */
  readonly points?: readonly Point[];
  /** A module that is loaded into each agent first: a mistake, for the checks to find. */
  readonly plant?: string;
}

/** One mesh, runs that follow each other on it, and so many kills; then it is left in peace, and judged. */
export async function night(
  options: NightOptions,
  { janitor, say }: { janitor: Janitor; say: (line: string) => void },
): Promise<Figures> {
  const { dir, seed, isolated } = options;
  const disks = isolated ? smallDisks(options) : undefined;
  const cable = isolated ? await layCable(janitor) : undefined;
  const hosts = HOSTS.map((name) => new WorkHost(name, join(dir, 'hosts', name)));
  const traps = new Map([NATS, ...COORDINATORS, ...HOSTS].map((name) => [name, new Traps(join(dir, 'traps', name))]));
  const mesh = await startMesh(options, { hosts, traps, cable }, janitor);
  if (cable) cable.natsPort = mesh.nats.server.port;
  const operator = await Operator.connect(mesh, janitor);
  await allHeard(operator);
  const plans = await plansOf(mesh, dir, await openDial(janitor));

  const exits: string[] = [];
  const kept = keepAll(mesh, (name, code) => exits.push(`${name} (exit ${code})`));
  const keptOf = (name: string) => must(kept.get(name));
  const struckable = (name: string): Struckable => ({
    kept: keptOf(name),
    traps: must(traps.get(name)),
    stateDir: join(dir, 'state', name),
  });
  const striker = new Striker({
    agents: HOSTS.map(struckable),
    coordinators: COORDINATORS.map(struckable),
    nats: struckable(NATS),
    cable,
    disks: { agent: disks && { disk: disks.agent, kept: keptOf(SMALL) }, nats: disks?.nats },
  });
  const traffic = new Traffic({ operator, operatorFile: mesh.operatorFile(), plans, hosts });
  const flowing = traffic.flow(REST_MS);
  const struck: Struck[] = [];
  let saidMs = performance.now();
  const strikeAll = async (strikes: readonly Strike[]) => {
    for (const strike of strikes) {
      struck.push(...(await striker.strike(strike)));
      if (performance.now() - saidMs < SAY_MS) continue;
      saidMs = performance.now();
      say(`seed ${seed}: ${struck.filter(isKill).length} of ${options.kills} kills`);
    }
  };
  const { hosts: onHosts, middle } = strikesOf(options);
  await Promise.all([strikeAll(onHosts), strikeAll(middle)]);
  traffic.stop();
  const ids = await flowing;
  for (const one of kept.values()) one.leave();
  const runs = await Promise.all(ids.map((run) => recordOf(run, { operator, hosts, traffic })));
  const judged = runs.map((record) => ({ record, violations: judge(record) }));
  // NATS may have kept it on a disk that ends with the night.
  for (const { record, violations } of judged)
    if (violations.length > 0) await writeFile(join(dir, `${record.run}.json`), JSON.stringify(record, null, 2));
  return {
    struck,
    runs,
    violations: [...judged.flatMap(({ violations }) => violations), ...twins(ids, traffic.asked)],
    typed: traffic.typed,
    exits,
  };
}

function smallDisks({ dir, smallNats }: NightOptions): { agent: SmallDisk; nats?: SmallDisk } {
  const agent = SmallDisk.mount(join(dir, 'state', SMALL), 16);
  return smallNats ? { agent, nats: SmallDisk.mount(join(dir, 'nats', 'store'), 96) } : { agent };
}

async function layCable(janitor: Janitor): Promise<Cable> {
  const cable = await Cable.lay();
  janitor.add('cable', async () => cable.close());
  return cable;
}

async function startMesh(
  { dir, plant }: NightOptions,
  { hosts, traps, cable }: { hosts: readonly WorkHost[]; traps: ReadonlyMap<string, Traps>; cable: Cable | undefined },
  janitor: Janitor,
): Promise<ProcessMesh> {
  const planted = (daemon: string) => (plant === undefined || COORDINATORS.includes(daemon) ? [] : ['--import', plant]);
  const launch = (daemon: string): Launch => ({
    node: ['--import', TRAP, ...planted(daemon)],
    unbundled: planted(daemon).length > 0,
    env: { [TRAP_VARIABLE]: must(traps.get(daemon)).dir },
    ...(cable && daemon === REMOTE ? { before: cable.before } : {}),
  });
  const hostOf = ({ name, path }: WorkHost) => ({
    ...{ name, path, labels: { role: 'box', name } },
    ...(cable && name === REMOTE ? { servers: [cable.url] } : {}),
  });
  const mesh = await ProcessMesh.start(
    {
      name: MESH,
      dir,
      hosts: hosts.map(hostOf),
      maxStorageBytes: STORAGE_BYTES,
      coordinator: { leaseSeconds: LEASE_SECONDS },
      launch,
    },
    janitor,
  );
  mesh.addCoordinator(STANDBY);
  return mesh;
}

async function allHeard(operator: Operator): Promise<void> {
  await until(
    'all agents to be heard',
    async () => {
      const { hosts } = await operator.ask('hosts', {}, 1_000).catch(() => ({ hosts: [] }));
      return hosts.filter(({ health }) => health !== undefined).length === HOSTS.length;
    },
    { timeoutMs: 60_000 },
  );
}

/** Made by the CLI, as an operator makes them; each is then started again and again. */
async function plansOf(mesh: ProcessMesh, dir: string, dial: string): Promise<Map<Kind, string>> {
  const plans = KINDS.map(async (kind): Promise<[Kind, string]> => {
    const [file, out] = [join(dir, `${kind}.yaml`), join(dir, `${kind}.plan`)];
    await writeFile(file, runbookOf(kind, { first: FIRST, dial }));
    const said = await sayTo([PROGRAMS.signalbox, '--config', mesh.operatorFile(), 'plan', file, '--out', out]);
    if (said.exitCode !== 0) throw new Error(`${kind} cannot be planned:\n${said.stdout}${said.stderr}`);
    return [kind, await readFile(out, 'utf8')];
  });
  return new Map(await Promise.all(plans));
}

function keepAll(mesh: ProcessMesh, onExit: (name: string, code: number) => void): Map<string, Kept> {
  const daemon = (name: string, start: () => void) => ({
    name,
    start: async () => start(),
    ended: async () => {
      const code = await mesh.endOf(name);
      await mesh.stop(name);
      return code;
    },
    pid: () => mesh.pidOf(name),
  });
  const services = [
    daemon(COORDINATOR, () => mesh.startCoordinator()),
    daemon(STANDBY, () => mesh.addCoordinator(STANDBY)),
    ...HOSTS.map((name) => daemon(name, () => mesh.startAgent(name))),
    {
      name: NATS,
      start: () => mesh.nats.restart(),
      ended: () => mesh.nats.server.ended.then(() => null),
      pid: () => mesh.nats.server.pid,
    },
  ];
  return new Map(services.map((service) => [service.name, new Kept(service, onExit)]));
}

async function recordOf(
  run: string,
  { operator, hosts, traffic }: { operator: Operator; hosts: readonly WorkHost[]; traffic: Traffic },
): Promise<RunRecord> {
  const { plan } = await operator.ask('log', { run, from: 0, plan: true });
  const { refs } = indexOf(Plan.parse(JSON.parse(plan ?? '')));
  return {
    run,
    entries: await operator.log(run),
    marks: hosts.flatMap((host) => host.marks()).filter(({ command }) => command.startsWith(`${run}:`)),
    done: hosts.flatMap((host) => [...host.done(run)].map((step) => ({ step, host: host.name }))),
    actions: refs.flatMap(({ leaf, host }) =>
      leaf.kind === 'action' && host !== null ? [{ step: named(leaf.id), host }] : [],
    ),
    promised: traffic.promised.get(run) ?? [],
  };
}

/** The step as its runbook names it: `stopped` of `stopped[batch=2]`. */
const named = (step: string) => step.replace(/\[.*\]$/, '');

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a part of the night is missing');
  return value;
}
